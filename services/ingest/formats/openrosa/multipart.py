"""The parts of a submission: its XML is kept, everything else is thrown away as it is read."""

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from services.ingest.formats.format import Request, Unreadable
from services.ingest.formats.openrosa.instance import XML_MAX_BYTES

XML_PART = b"xml_submission_file"
PARTS_MAX = 1_000  # Collect sends at most a hundred files at once
_MULTIPART = b"multipart/form-data"


def xml_of(request: Request) -> bytes:
    """Return the XML of a submission; Unreadable when the request holds none."""
    if request.media_type != _MULTIPART:
        raise Unreadable("unsupported-media-type", "OpenRosa sends multipart/form-data")
    _, options = parse_options_header(request.headers.get(b"content-type", b""))
    boundary = options.get(b"boundary")
    if not boundary:
        raise Unreadable("malformed-request", "the Content-Type names no boundary")
    parts = _Parts()
    try:
        parser = MultipartParser(
            boundary,
            {
                "on_part_begin": parts.begin,
                "on_header_field": parts.header_field,
                "on_header_value": parts.header_value,
                "on_header_end": parts.header_end,
                "on_part_data": parts.data,
                "on_end": parts.finish,
            },
        )
        parser.write(request.body)
    except FormParserError:
        raise Unreadable("malformed-request", "the multipart body cannot be read") from None
    if not parts.is_finished:
        raise Unreadable("malformed-request", "the multipart body ends too early")
    if not parts.has_xml:
        raise Unreadable("malformed-request", f"the part {XML_PART.decode()} is missing")
    return bytes(parts.xml)


class _Parts:
    """What the parser tells of the parts."""

    def __init__(self) -> None:
        self.xml = bytearray()
        self.has_xml = self.is_finished = False
        self._count = 0
        self._is_xml = False
        self._field = b""
        self._value = b""

    def begin(self) -> None:
        """A part begins."""
        self._count += 1
        if self._count > PARTS_MAX:
            raise Unreadable("too-large", f"a request may have {PARTS_MAX:,} parts")
        self._is_xml = False

    def header_field(self, data: bytes, start: int, end: int) -> None:
        """Take a piece of a header's name."""
        self._field += data[start:end]

    def header_value(self, data: bytes, start: int, end: int) -> None:
        """Take a piece of a header's value."""
        self._value += data[start:end]

    def header_end(self) -> None:
        """Read a header: the part's name is in its Content-Disposition."""
        if self._field.lower() == b"content-disposition":
            _, options = parse_options_header(self._value)
            self._is_xml = options.get(b"name") == XML_PART
            if self._is_xml and self.has_xml:
                raise Unreadable("malformed-request", f"{XML_PART.decode()} is there twice")
            self.has_xml = self.has_xml or self._is_xml
        self._field = self._value = b""

    def data(self, data: bytes, start: int, end: int) -> None:
        """Keep a piece of the XML; of anything else nothing."""
        if self._is_xml:
            if len(self.xml) + end - start > XML_MAX_BYTES:
                raise Unreadable("too-large", f"the XML may have {XML_MAX_BYTES // 1024} KiB")
            self.xml += data[start:end]

    def finish(self) -> None:
        """The last boundary was there."""
        self.is_finished = True
