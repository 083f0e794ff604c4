"""Whatever bytes and headers come, a request is stored or answered with a problem."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.problems import KINDS
from tests.fuzz.examples import fuzzed
from tests.unit.ingest.test_formats_properties import ask, bodies, cases, headers


@pytest.mark.timeout(600)
@fuzzed
@given(cases, bodies, headers)
def test_no_body_of_a_format_fails(
    case: tuple[str, str], body: bytes, more: dict[str, str]
) -> None:
    answer, _ = ask(*case, body, more)
    assert answer.status == 202 or json.loads(answer.body)["code"] in KINDS


@pytest.mark.timeout(600)
@fuzzed
@given(cases, st.binary(max_size=400))
def test_no_bytes_fail(case: tuple[str, str], body: bytes) -> None:
    answer, _ = ask(*case, body, {})
    assert 400 <= answer.status < 500
