"""Of a multipart body the XML is kept, and nothing else."""

import time
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ingest.formats.format import Unreadable
from services.ingest.formats.openrosa.instance import XML_MAX_BYTES
from services.ingest.formats.openrosa.multipart import PARTS_MAX, xml_of
from tests.unit.ingest.formats.openrosa.filled import BOUNDARY, media_type, multipart, request_of

XML = ("xml_submission_file", b"<a/>")


def test_the_xml_is_found_among_media_and_marks() -> None:
    photo = ("foto.jpg", b"\xff\xd8\r\n--bata\r\n" * 1000)
    for parts in ([XML], [photo, XML], [("*isIncomplete*", b"yes"), XML, photo]):
        assert xml_of(request_of(multipart(parts))) == b"<a/>"


def test_a_boundary_may_be_quoted_and_headers_may_be_in_any_case() -> None:
    body = multipart([XML]).replace(b"Content-Disposition", b"content-DISPOSITION")
    content_type = f'Multipart/Form-Data; charset=utf-8; boundary="{BOUNDARY}"'
    assert xml_of(request_of(body, content_type)) == b"<a/>"


@pytest.mark.parametrize(
    ("body", "content_type", "code"),
    [
        (b"<a/>", "text/xml", "unsupported-media-type"),
        (multipart([XML]), "multipart/form-data", "malformed-request"),
        (multipart([XML]), "multipart/form-data; boundary=lain", "malformed-request"),
        (multipart([XML]), f"multipart/form-data; boundary={'x' * 5000}", "malformed-request"),
        (multipart([XML])[:-9], None, "malformed-request"),
        (b"", None, "malformed-request"),
        (multipart([("foto.jpg", b"x")]), None, "malformed-request"),
        (multipart([XML, XML]), None, "malformed-request"),
        (multipart([("xml_submission_file", b"x" * (XML_MAX_BYTES + 1))]), None, "too-large"),
        (multipart([("x", b"")] * (PARTS_MAX + 1)), None, "too-large"),
    ],
)
def test_what_is_no_submission_is_refused(body: bytes, content_type: str | None, code: str) -> None:
    with pytest.raises(Unreadable) as refused:
        xml_of(request_of(body, content_type))
    assert refused.value.code == code


@pytest.mark.parametrize("filling", [b'; a="b"', b";", b'"', b"; a=\\\\", b"; name*0=x", b"; "])
def test_headers_are_no_way_to_keep_it_busy(filling: bytes) -> None:
    value = b"form-data" + filling * (900 // len(filling))
    part = b"--batas\r\nContent-Disposition: " + value + b"\r\n\r\nx\r\n"
    content_type = media_type() + "".join([filling.decode()] * 10_000)
    started_s = time.process_time()
    with suppress(Unreadable):
        xml_of(request_of(part * (PARTS_MAX - 1) + multipart([XML])))
    with suppress(Unreadable):
        xml_of(request_of(multipart([XML]), content_type))
    assert time.process_time() - started_s < 1


@given(st.binary(max_size=300), st.integers(0, 200))
def test_no_bytes_fail(noise: bytes, place: int) -> None:
    body = multipart([XML])
    for broken in (noise, body[:place] + noise + body[place:]):
        with suppress(Unreadable):
            assert isinstance(xml_of(request_of(broken)), bytes)
