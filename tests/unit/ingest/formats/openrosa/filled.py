"""Filled forms as Collect sends them."""

from collections.abc import Mapping, Sequence

from services.ingest.formats.format import Request

BOUNDARY = "batas"
INSTANCE_ID = "uuid:8f14e45f-ceea-467f-9575-9f5ba1b8ef12"
VALUES: Mapping[str, str] = {
    "end": "2026-05-04T09:12:00.000+07:00",
    "opd": "disdukcapil",
    "questionnaire": "skm-2017",
    "layanan": "ktp-el",
    **{f"answers/q_U{number}": score for number, score in enumerate("443444433", start=1)},
    "respondent/sex": "P",
    "respondent/age": "34",
    "respondent/education": "S1",
    "respondent/occupation": "SWASTA",
    "comment": "Cepat dan ramah",
    "meta/instanceID": INSTANCE_ID,
}


def instance(changes: Mapping[str, str | None] | None = None) -> bytes:
    """The XML of a filled form, with these values instead; None leaves a question out."""
    values = {
        path: text for path, text in {**VALUES, **(changes or {})}.items() if text is not None
    }
    groups: dict[str, str] = {}
    for path, text in values.items():
        group, _, name = path.rpartition("/")
        groups[group] = groups.get(group, "") + f"<{name}>{text}</{name}>"
    inner = groups.pop("", "") + "".join(
        f"<{group}>{elements}</{group}>" for group, elements in groups.items()
    )
    return f'<data id="skm-2017.disdukcapil" version="1">{inner}</data>'.encode()


def multipart(parts: Sequence[tuple[str, bytes]]) -> bytes:
    """A multipart body of these parts."""
    body = b"".join(
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"; filename="{name}"\r\n'
        "Content-Type: application/octet-stream\r\n\r\n".encode()
        + content
        + b"\r\n"
        for name, content in parts
    )
    return body + f"--{BOUNDARY}--\r\n".encode()


def media_type(boundary: str = BOUNDARY) -> str:
    """The Content-Type of such a body."""
    return f"multipart/form-data; boundary={boundary}"


def request_of(body: bytes, content_type: str | None = None) -> Request:
    """The request with this body."""
    header = (content_type or media_type()).encode()
    plain = header.partition(b";")[0].strip().lower()
    return Request(plain, {b"content-type": header}, body)
