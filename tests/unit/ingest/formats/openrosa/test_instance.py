"""Whatever XML comes, it is read within limits or refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ingest.formats.format import Unreadable
from services.ingest.formats.openrosa.instance import (
    DEPTH_MAX,
    ELEMENTS_MAX,
    XML_MAX_BYTES,
    read,
)

LAUGHS = b"""<!DOCTYPE a [<!ENTITY l0 "ha"><!ENTITY l1 "&l0;&l0;&l0;&l0;&l0;&l0;&l0;&l0;">
<!ENTITY l2 "&l1;&l1;&l1;&l1;&l1;&l1;&l1;&l1;">]><a>&l2;</a>"""


def test_values_are_found_by_their_path() -> None:
    xml = b'<data id="f" version="7"><a> 1 </a><g><b/><c>x &lt; y</c></g></data>'
    instance = read(xml)
    assert (instance.form, instance.version) == ("f", "7")
    assert instance.values == {"a": "1", "g/c": "x < y"}


def test_meta_is_matched_by_its_local_name() -> None:
    xml = (
        b'<data xmlns="http://example.id/f" xmlns:orx="http://openrosa.org/xforms">'
        b"<orx:meta><orx:instanceID>uuid:1</orx:instanceID></orx:meta></data>"
    )
    instance = read(xml)
    assert instance.form == "http://example.id/f"
    assert instance.values == {"meta/instanceID": "uuid:1"}


@pytest.mark.parametrize(
    "xml",
    [
        b"",
        b"plain",
        b"<a>",
        b"<a></b>",
        b"<a/><b/>",
        b"<a>&nbsp;</a>",
        b"<a>\x00</a>",
        b"<a>\xff</a>",
        b'<?xml version="1.0" encoding="nonsense"?><a/>',
        b'<?xml version="1.0" encoding="utf-7"?><a/>',
        b'<?xml version="1.0" encoding="base64"?><a/>',
        b"<x:a/>",
        LAUGHS,
        b"<!DOCTYPE a><a/>",
        b'<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>',
        b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>',
        b"<a>" * (DEPTH_MAX + 1) + b"</a>" * (DEPTH_MAX + 1),
        b"<a>" * 50_000,
        b"<a>" + b"".join(b"<b%d/>" % number for number in range(ELEMENTS_MAX)) + b"</a>",
        b"<a><b>1</b><b>2</b></a>",
        b"<a>" + b" " * XML_MAX_BYTES + b"</a>",
    ],
)
def test_what_is_no_instance_is_refused(xml: bytes) -> None:
    with pytest.raises(Unreadable) as refused:
        read(xml)
    assert refused.value.code in {"malformed-request", "too-large"}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "iso-8859-1"])
def test_an_encoding_that_is_named_is_read(encoding: str) -> None:
    xml = f'<?xml version="1.0" encoding="{encoding}"?><a><b>café</b></a>'.encode(encoding)
    assert read(xml).values == {"b": "café"}


@given(st.binary(max_size=200) | st.text(alphabet="<>/ab&;!\"'= ?", max_size=60).map(str.encode))
def test_no_bytes_fail(xml: bytes) -> None:
    try:
        instance = read(xml)
    except Unreadable:
        return
    assert isinstance(instance.values, dict)
