"""Who sends: the key, its channel, and the channel's validity."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from services.ingest.formats.senders import by_authorization
from shared.problems import Problem, Refused
from shared.registry.snapshot import AccessKey, Channel
from tests.builders import KEY, key_hash, registry

DAY = date(2026, 5, 4)
BEARER = b"Bearer " + KEY.encode()


def refusal(authorization: bytes | None, **changes: Any) -> Problem:
    with pytest.raises(Refused) as refused:
        by_authorization(authorization, registry(**changes), DAY)
    return refused.value.problem


@pytest.mark.parametrize(
    "header", [BEARER, b"bearer " + KEY.encode(), b"BEARER  " + KEY.encode() + b" "]
)
def test_a_key_is_its_channel(header: bytes) -> None:
    assert by_authorization(header, registry(), DAY) == Channel("loket", "api")


@pytest.mark.parametrize("header", [None, b"", b"Bearer", b"Basic " + KEY.encode(), KEY.encode()])
def test_without_a_key_the_answer_says_which_scheme(header: bytes | None) -> None:
    problem = refusal(header)
    assert (problem.status, problem.plain_headers["www-authenticate"]) == (401, "Bearer")


@pytest.mark.parametrize(
    "header",
    [b"Bearer ", b"Bearer x", BEARER + b"x", BEARER[:-1], b"Bearer " + key_hash(KEY).encode()],
)
def test_another_key_is_unknown(header: bytes) -> None:
    problem = refusal(header)
    assert (problem.status, problem.plain_headers["www-authenticate"]) == (
        401,
        'Bearer error="invalid_token"',
    )


def test_a_key_of_a_channel_that_is_gone_is_unknown() -> None:
    assert refusal(BEARER, channels={}).status == 401
    assert refusal(BEARER, keys={key_hash(KEY): AccessKey("k1", "lain")}).status == 401


def test_a_key_that_only_reads_may_not_submit_and_is_told_so() -> None:
    reader = AccessKey("k1", None, may_submit=False, may_read=True)
    problem = refusal(BEARER, keys={key_hash(KEY): reader})
    assert problem.status == 403
    assert b"may read, not submit" in problem.body


def test_a_channel_is_open_on_both_of_its_ends() -> None:
    loket = registry().channels["loket"]
    for first, last, status in [
        (DAY, DAY, None),
        (date(2026, 5, 5), None, 403),
        (None, date(2026, 5, 3), 403),
    ]:
        channels = {"loket": replace(loket, valid_from=first, valid_to=last)}
        if status is None:
            assert by_authorization(BEARER, registry(channels=channels), DAY).name == "loket"
        else:
            assert refusal(BEARER, channels=channels).status == status
