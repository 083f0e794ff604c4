"""The command `ikm import`: a file of answers, read by the workers, or tried here."""

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import click

from shared.domain.errors import IkmError

if TYPE_CHECKING:
    import sqlalchemy as sa

    from services.aggregate.imports.options import ImportOptions
    from shared.registry.snapshot import Channel, Registry

_PIECE_BYTES = 512 * 1024
_LOOK_EVERY_S = 0.3
_SHOWN_MAX = 20  # refused rows on the terminal
_BATCH_ROWS = 5_000
_OVER = frozenset({"done", "failed", "cancelled"})


class CannotImport(IkmError):
    """The file cannot be imported."""


@click.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--channel", required=True, help="Whose submissions the rows are.")
@click.option(
    "--preset",
    type=click.Choice(["template", "limesurvey", "google-forms", "ikm"]),
    default="template",
    show_default=True,
    help="What kind of file it is.",
)
@click.option(
    "--mapping",
    "mapping_file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="YAML: which column is what; before --preset.",
)
@click.option("--opd", help="OPD of all rows.")
@click.option("--layanan", help="Layanan of all rows.")
@click.option("--sheet", help="Sheet of an XLSX file.")
@click.option("--time-format", help="How times are written, like '%d/%m/%Y %H:%M:%S'.")
@click.option("--timezone", help="Of times without one.  [default: that of the instansi]")
@click.option("--day", help="Day of all rows, like 2026-05-04.")
@click.option("--dry-run", is_flag=True, help="Judge every row here and send none.")
@click.option(
    "--report",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the refused rows to this file, a line of JSON each.",
)
def import_(
    file: Path,
    channel: str,
    mapping_file: Path | None,
    report: Path | None,
    **told: Any,  # noqa: ANN401 (the options of reading, each as click gives it)
) -> int:
    """Import a file of answers: CSV of any delimiter and encoding, or XLSX.

    The same file twice adds nothing. Ctrl-C stops watching, not the import. Exit 0 when every row
    was accepted, 1 when some were refused or it failed, 2 for wrong use.
    """
    from services.aggregate.imports.options import ImportOptions, InvalidOptions
    from shared.settings import Settings
    from shared.storage.engine import opened
    from shared.storage.registry import stored_registry

    options = ImportOptions(**told, mapping=_mapping(mapping_file))
    with opened(Settings.load().need_database()) as engine:
        with engine.connect() as connection:
            registry = stored_registry.load(connection)
        sender = registry.channels.get(channel)
        if sender is None:
            raise click.UsageError(f"no channel is called {channel!r} (ikm apply)")
        if sender.kind == "uji" and not options.dry_run:
            raise click.UsageError("a sandbox channel imports nothing: add --dry-run")
        try:
            options.check(registry)
        except InvalidOptions as invalid:
            raise click.UsageError(str(invalid).replace("/query/", "--")) from None
        if options.dry_run:
            return _try(file, options, registry, sender, report)
        return _follow(engine, _send(engine, file, channel, options), report)


def _mapping(path: Path | None) -> dict[str, Any] | None:
    from shared.registry.strict_yaml import load

    if path is None:
        return None
    mapping, faults = load(path.read_text(encoding="utf-8"))
    if faults:
        raise click.UsageError(f"{path}: {faults[0].pointer}: {faults[0].detail}")
    if not isinstance(mapping, dict):
        raise click.UsageError(f"{path} must be a mapping of fields")
    return mapping


def _chunks(file: Path) -> Iterator[bytes]:
    with file.open("rb") as stream:
        while chunk := stream.read(_PIECE_BYTES):
            yield chunk


def _try(
    file: Path,
    options: "ImportOptions",
    registry: "Registry",
    channel: "Channel",
    report: Path | None,
) -> int:
    """Judge every row in this process."""
    from services.aggregate.imports.opening import open_file
    from services.aggregate.imports.reading.table import FileFault
    from services.ops.terminal import progress

    size_bytes, accepted, refused, rows_read = file.stat().st_size, 0, 0, 0
    try:
        opened = open_file(_chunks(file), options, registry, channel)
        with _report_to(report) as tell_refused, progress("memeriksa / checking") as tell:
            while rows := opened.rows(_BATCH_ROWS):
                converted = opened.converter.convert(rows)
                rows_read += len(rows)
                accepted += len(converted.ids)
                for refusal in converted.refusals:
                    refused += 1
                    faults = [
                        {"pointer": v.pointer, "code": v.code, "detail": v.detail}
                        for v in refusal.violations
                    ]
                    tell_refused(refusal.line, faults)
                tell(min(opened.table.read_bytes(), size_bytes), size_bytes)
    except FileFault as fault:
        raise CannotImport(f"{file}: {fault.detail}") from None
    _say_assumed(opened.table.assumed)
    click.echo(
        f"{accepted:,} baris baik, {refused:,} ditolak; tidak ada yang dikirim / "
        f"{accepted:,} rows are good, {refused:,} would be refused; none was sent"
    )
    return 1 if refused else 0


def _send(engine: "sa.Engine", file: Path, channel: str, options: "ImportOptions") -> UUID:
    """Keep the file in pieces; return the id of its import."""
    from services.ops.terminal import progress
    from shared.storage.engine import transaction
    from shared.storage.imports import files

    import_id, size_bytes, sent_bytes = uuid4(), file.stat().st_size, 0
    if not size_bytes:
        raise CannotImport(f"{file} is empty")
    with transaction(engine) as connection:
        files.begin(connection, import_id, channel, options.as_stored())
    with progress("mengunggah / uploading") as tell:
        for number, chunk in enumerate(_chunks(file)):
            with transaction(engine) as connection:
                files.keep_piece(connection, import_id, number, chunk)
            sent_bytes += len(chunk)
            tell(min(sent_bytes, size_bytes), size_bytes)
    with transaction(engine) as connection:
        files.end_of_file(connection, import_id, sent_bytes)
    return import_id


def _follow(engine: "sa.Engine", import_id: UUID, report: Path | None) -> int:
    """Watch an import until it is over, and say what became of it."""
    from services.ops.terminal import progress
    from shared.storage.imports import files

    click.echo(f"impor / import {import_id}")
    with progress("mengimpor / importing") as tell:
        while True:
            with engine.connect() as connection:
                status = files.status(connection, import_id)
            if status is None:
                raise CannotImport("the import is gone")
            tell(min(status["read_bytes"], status["bytes"]), status["bytes"])
            if status["state"] in _OVER:
                break
            time.sleep(_LOOK_EVERY_S)
    with _report_to(report) as tell_refused:
        after = -1
        while rows := _report_page(engine, import_id, after):
            for row in rows:
                tell_refused(row["line"], row["violations"])
            after = rows[-1]["line"]
    _say_assumed(status["assumed"])
    click.echo(
        f"{status['accepted']:,} diterima, {status['refused']:,} ditolak / "
        f"{status['accepted']:,} accepted, {status['refused']:,} refused"
    )
    if status["state"] != "done":
        raise CannotImport(f"{status['state']}: {status['detail'] or 'it was cancelled'}")
    return 1 if status["refused"] else 0


def _report_page(engine: "sa.Engine", import_id: UUID, after: int) -> list[dict[str, Any]]:
    from shared.storage.imports import files

    with engine.connect() as connection:
        return files.report(connection, import_id, after)


@contextmanager
def _report_to(path: Path | None) -> Iterator[Any]:
    """Show the first refused rows, and write all of them where a file is given."""
    from services.ops.terminal import printable

    shown = 0
    stream = None if path is None else path.open("w", encoding="utf-8")

    def tell(line: int, violations: list[dict[str, str]]) -> None:
        nonlocal shown
        if stream is not None:
            document = {"line": line, "violations": violations}
            stream.write(f"{json.dumps(document, ensure_ascii=False)}\n")
        if shown < _SHOWN_MAX:
            for fault in violations:
                where = fault["pointer"] or "(baris / row)"
                click.echo(printable(f"baris / line {line}: {where}: {fault['detail']}"), err=True)
        elif shown == _SHOWN_MAX and stream is None:
            click.echo("… (--report FILE: semua / all)", err=True)
        shown += 1

    try:
        yield tell
    finally:
        if stream is not None:
            stream.close()


def _say_assumed(assumed: Mapping[str, object]) -> None:
    from services.ops.terminal import printable

    text = ", ".join(f"{name} {value!r}" for name, value in assumed.items() if name != "columns")
    click.echo(printable(f"dibaca sebagai / read as: {text}"))
