"""A raw data sheet of a survey as CSV, and what puts a file where imports are read from."""

import uuid
from typing import Any

import sqlalchemy as sa

from shared.storage.engine import transaction
from shared.storage.imports import files

HEADINGS = (
    "No;Jenis Kelamin;Pendidikan Terakhir;Pekerjaan;Jenis Layanan;"
    "U1;U2;U3;U4;U5;U6;U7;U8;U9;Saran/Masukan"
)
OPTIONS: dict[str, Any] = {"preset": "template", "opd": "disdukcapil", "day": "2026-05-04"}


def line(number: int, scores: str = "443444433", comment: str = "Cepat") -> str:
    """A row of the sheet."""
    return f"{number};P;S1;Swasta;ktp-el;{';'.join(scores)};{comment}"


def sheet(*lines: str) -> bytes:
    """The sheet with these rows."""
    return "\n".join([HEADINGS, *lines, ""]).encode()


def put_file(
    engine: sa.Engine, content: bytes, channel: str = "loket", piece: int = 1000, **options: Any
) -> uuid.UUID:
    """Keep a file in pieces, as an upload would."""
    import_id = uuid.uuid4()
    with transaction(engine) as connection:
        files.begin(connection, import_id, channel, {**OPTIONS, **options})
        for number, start in enumerate(range(0, len(content), piece)):
            files.keep_piece(connection, import_id, number, content[start : start + piece])
        files.end_of_file(connection, import_id, len(content))
    return import_id


def told(engine: sa.Engine, import_id: uuid.UUID) -> dict[str, Any]:
    """What is said about an import."""
    with engine.connect() as connection:
        status = files.status(connection, import_id)
    assert status is not None
    return dict(status)
