"""Builders: valid submissions, questionnaires, registries, but for what the test changes."""

import copy
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from shared.domain.questionnaire import SCORES, SKM_2017, Questionnaire, Unsur
from shared.domain.submission.identity import SECRET_BYTES, ReceiptMaker
from shared.domain.tally import Tally
from shared.registry.snapshot import AccessKey, Channel, Instansi, Layanan, Opd, Registry
from shared.storage.engine import DatabaseClock

KEY = "kunci-uji-loket"
OTHER_KEY = "kunci-uji-dinkes"
READ_KEY = "kunci-uji-dasbor"  # reads all OPDs, submits nothing
SECRET = b"rahasia instalasi untuk pengujian"[:SECRET_BYTES]
RECEIPT_MAKER = ReceiptMaker(SECRET)
_SUBMISSION: Mapping[str, Any] = {
    "id": "loket3-000123",
    "opd": "disdukcapil",
    "layanan": "ktp-el",
    "submitted_at": "2026-05-04T09:12:00+07:00",
    "answers": {"U1": 4, "U2": 3, "U3": 4, "U4": 4, "U5": 3, "U6": 4, "U7": 4, "U8": 3, "U9": 3},
    "respondent": {"sex": "P", "age": 34, "education": "S1", "occupation": "SWASTA"},
    "comment": "Cepat dan ramah",
}


def submission(**changes: Any) -> dict[str, Any]:
    """A valid submission with these members instead; `...` leaves a member out."""
    document = copy.deepcopy({**_SUBMISSION, **changes})
    return {name: value for name, value in document.items() if value is not ...}


def submission_json(**changes: Any) -> bytes:
    """The same as JSON."""
    return json.dumps(submission(**changes)).encode()


def questionnaire(code: str, *codes: str, optional: frozenset[str] = frozenset()) -> Questionnaire:
    """A questionnaire with these unsur."""
    options = ("Tidak baik", "Kurang baik", "Baik", "Sangat baik")
    unsur = tuple(
        Unsur(name, f"key-{name}", f"Unsur {name}", "?", options, name not in optional)
        for name in codes
    )
    return Questionnaire(code, f"Kuesioner {code}", unsur)


def key_hash(key: str) -> str:
    """What a registry holds of a key."""
    return hashlib.sha256(key.encode()).hexdigest()


def registry(version: int = 1, **changes: Any) -> Registry:
    """Two OPDs; channel `loket` sends for both with KEY, `dinkes` for `dinkes` with OTHER_KEY."""
    short = questionnaire("singkat", "1-a", "class", "U3", optional=frozenset({"class"}))
    example = Registry(
        version=version,
        instansi=Instansi("uji", "Kota Uji", "Asia/Jakarta"),
        opd={
            "disdukcapil": Opd(
                "disdukcapil",
                "Disdukcapil",
                layanan={"ktp-el": Layanan("ktp-el", "KTP Elektronik")},
            ),
            "dinkes": Opd(
                "dinkes",
                "Dinas Kesehatan",
                layanan={
                    "puskesmas": Layanan("puskesmas", "Puskesmas"),
                    "lab": Layanan("lab", "Laboratorium", questionnaire=short.code),
                },
            ),
        },
        channels={
            "loket": Channel("loket", "api"),
            "dinkes": Channel("dinkes", "api", frozenset({"dinkes"})),
        },
        keys={
            key_hash(KEY): AccessKey("k1", "loket"),
            key_hash(OTHER_KEY): AccessKey("k2", "dinkes"),
            key_hash(READ_KEY): AccessKey("k3", None, may_submit=False, may_read=True),
        },
        questionnaires={SKM_2017.code: SKM_2017, short.code: short},
        secret=SECRET,
    )
    return replace(example, **changes)


def authorization(key: str = KEY) -> dict[str, str]:
    """The header that a sender adds."""
    return {"authorization": f"Bearer {key}"}


def tally_of(scores: Sequence[int | None], weights: Sequence[int]) -> Tally:
    """The tally of one questionnaire, the oracle of counting; None is an unsur not answered."""
    counts = tuple(int(score == possible) for score in scores for possible in SCORES)
    if None in scores:
        return Tally(1, counts, 0, 0, 0)
    total = sum(weight * (score or 0) for weight, score in zip(weights, scores, strict=True))
    return Tally(1, counts, 1, total, total * total)


def stopped_clock(now: datetime) -> DatabaseClock:
    """PostgreSQL's clock, stopped at this time."""
    return lambda _connection: now


def as_role(database_url: str, role: str) -> str:
    """Return the address of a database for one of its roles."""
    return sa.make_url(database_url).set(username=role).render_as_string(hide_password=False)
