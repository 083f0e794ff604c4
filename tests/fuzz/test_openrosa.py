"""Whatever multipart body or XML comes, it is a submission or refused: nothing else."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ingest.formats.format import Parsed, Unreadable
from services.ingest.formats.openrosa.instance import read
from services.ingest.formats.openrosa.submission import parse
from shared.problems import KINDS
from tests.fuzz.examples import fuzzed
from tests.unit.ingest.formats.openrosa.filled import VALUES, instance, multipart, request_of

texts = st.one_of(
    st.text(max_size=40),
    st.sampled_from(["", "4", "0", "²", "4.0", "1e3", "9" * 60, "&#0;", "&#x41;", "&lt;", "]]>"]),
)
names = st.sampled_from([*VALUES, "meta/deprecatedID", "answers/q_", "answers/q_U1/x", "x"])
pieces = st.sampled_from(
    [
        "<",
        ">",
        "</",
        "/>",
        "<a>",
        "</a>",
        "<data",
        "id=",
        '"',
        "'",
        "&",
        ";",
        "<!--",
        "-->",
        "<![CDATA[",
        "]]>",
        "<?xml",
        "?>",
        "<!DOCTYPE",
        "<!ENTITY",
        "a",
        "é\n",
        "",
        "",
        "",
        "\x00",
        "xmlns=",
        "xmlns:o=",
        "o:",
        "<opd>",
        "<layanan>",
        'encoding="utf-16"',
    ]
)


def refused_or_read(body: bytes, content_type: str | None = None) -> None:
    try:
        parsed: Parsed | Unreadable = parse(request_of(body, content_type))
    except Unreadable as error:
        parsed = error
    if isinstance(parsed, Unreadable):
        assert parsed.code in KINDS
        return
    (item,) = parsed.items
    assert item.source_id
    assert 1 <= len(item.source_id) <= 128
    assert item.body.startswith(b"{")


@pytest.mark.timeout(600)
@fuzzed
@given(st.dictionaries(names, texts | st.none(), max_size=8))
def test_no_values_of_a_form_fail(changes: dict[str, str | None]) -> None:
    refused_or_read(multipart([("xml_submission_file", instance(changes))]))


@pytest.mark.timeout(600)
@fuzzed
@given(st.lists(pieces, max_size=40).map("".join))
def test_no_markup_fails(text: str) -> None:
    for encoding in ("utf-8", "utf-16"):
        with suppress(Unreadable):
            assert read(text.encode(encoding)).values is not None


@pytest.mark.timeout(600)
@fuzzed
@given(st.binary(max_size=300), st.integers(0, 400), st.integers(0, 50), st.text(max_size=60))
def test_no_multipart_body_fails(noise: bytes, place: int, cut: int, boundary: str) -> None:
    body = multipart([("foto.jpg", noise), ("xml_submission_file", instance())])
    refused_or_read(body[:place] + noise + body[place + cut :])
    content_type = f"multipart/form-data; boundary={boundary}".encode("utf-8", "replace")
    refused_or_read(noise, content_type.decode("latin-1").replace("\ufffd", "?"))
