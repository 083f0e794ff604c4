"""The commands that look at a running system and mend it: `ikm status`, `parked`, `verify`, `rebuild`."""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from uuid import UUID

import click

Watch = Callable[[int, int], None]
_ROW = "{:<36}  {:<25}  {:<16}  {:<22}  {:>5}"


@click.command()
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def status(*, as_json: bool) -> int:
    """Show what runs, what waits, what is parked and stale. Exit 1 when something is not well."""
    from services.ops.commands.health import look
    from shared.settings import Settings

    found = look(Settings.load())
    if as_json:
        click.echo(json.dumps(found.document(), indent=2, default=str))
    else:
        for label, value in found.lines():
            click.echo(f"{label:<24} {value}")
        for trouble in found.troubles:
            click.echo(f"! {trouble}", err=True)
    return 1 if found.troubles else 0


@click.command()
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def verify(*, as_json: bool) -> int:
    """Prove that accepted = counted + duplicate + parked and that every figure follows from the responses.

    Changes nothing and may run at any time. Exit 0 when nothing is found, 1 with a line for each
    finding.
    """
    from services.aggregate.verify.proof import verify as run
    from shared.connections import worker_redis
    from shared.inbox.audit import Audit
    from shared.settings import Settings
    from shared.storage.engine import opened

    settings = Settings.load()
    redis = worker_redis(settings.need_redis())
    with (
        redis,
        opened(settings.need_database()) as engine,
        _progress("memeriksa / checking") as watch,
    ):
        report = run(engine, Audit(redis, settings.redis_prefix), watch)
    if as_json:
        findings = [finding._asdict() for finding in report.findings]
        click.echo(json.dumps({"findings": findings, "notes": list(report.notes)}, indent=2))
    else:
        for note in report.notes:
            click.echo(note)
        for finding in report.findings:
            click.echo(f"! {finding.check}: {finding.text}")
        if not report.findings:
            click.echo("tidak ada temuan / nothing found")
    return 1 if report.findings else 0


@click.command()
def rebuild() -> None:
    """Work the day tallies out anew from the responses. Counting waits meanwhile; ingest and readers go on."""
    from services.aggregate.counting.rebuild import rebuild as run
    from shared.settings import Settings
    from shared.storage.engine import opened

    with (
        opened(Settings.load().need_database()) as engine,
        _progress("membangun ulang / rebuilding") as watch,
    ):
        done = run(engine, watch)
    click.echo(
        f"{done.responses:,} jawaban dijumlahkan, {done.changed:,} baris berubah, {done.opd} OPD disegarkan / "
        f"{done.responses:,} responses added up, {done.changed:,} rows changed, {done.opd} OPDs to be refreshed"
    )


@click.group()
def parked() -> None:
    """List, show and replay what could not be counted yet."""


@parked.command("list")
@click.option("--reason", help="Only those with this reason.")
@click.option(
    "--limit",
    type=click.IntRange(1),
    default=50,
    show_default=True,
    help="At most so many, oldest first.",
)
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def _list(reason: str | None, limit: int, *, as_json: bool) -> None:
    """List parked submissions, oldest first, and how many there are for each reason."""
    from shared.settings import Settings
    from shared.storage import parking
    from shared.storage.engine import opened

    with opened(Settings.load().need_database()) as engine, engine.connect() as connection:
        rows = [dict(row) for row in parking.list_parked(connection, reason, limit)]
        totals = parking.count_by_reason(connection)
    if as_json:
        click.echo(json.dumps({"reasons": totals, "parked": rows}, indent=2, default=str))
        return
    if not totals:
        click.echo("tidak ada yang diparkir / nothing is parked")
        return
    if rows:
        click.echo(_ROW.format("RECEIPT", "DITERIMA", "KANAL", "ALASAN", "ULANG"))
    for row in rows:
        received = row["received_at"].isoformat(timespec="seconds")
        click.echo(
            _ROW.format(str(row["receipt"]), received, row["channel"], row["reason"], row["tries"])
        )
    for name, count in totals.items():
        click.echo(f"{count:>9,}  {name}")


@parked.command("show")
@click.argument("receipt", type=click.UUID)
def _show(receipt: UUID) -> int:
    """Show one parked submission: why it waits, and its body as it was sent."""
    from shared.settings import Settings
    from shared.storage import parking
    from shared.storage.engine import opened

    with opened(Settings.load().need_database()) as engine, engine.connect() as connection:
        row = parking.read_parked(connection, receipt)
    if row is None:
        click.echo(f"{receipt} tidak diparkir / is not parked", err=True)
        return 1
    for name, value in row.items():
        if name not in {"body", "violations"}:
            click.echo(f"{name:<12} {'-' if value is None else _printable(str(value))}")
    for one in row["violations"]:
        click.echo(
            _printable(f"violation    {one['pointer'] or '(all)'}: {one['code']}: {one['detail']}")
        )
    click.echo(_printable(bytes(row["body"]).decode(errors="backslashreplace")))
    return 0


@parked.command("replay")
@click.argument("receipts", metavar="[RECEIPT]...", nargs=-1, type=click.UUID)
@click.option("--all", "everything", is_flag=True, help="All that is parked.")
@click.option("--reason", help="All that is parked for this reason.")
@click.option(
    "--force", is_flag=True, help="Also count an id that was used before for another content."
)
def _replay(
    receipts: tuple[UUID, ...], reason: str | None, *, everything: bool, force: bool
) -> int:
    """Judge parked submissions again by the present registry, and count what can be counted.

    Exit 1 when a RECEIPT that was named is not parked.
    """
    from services.aggregate.counting.replay import Replay
    from shared.clock import utc_now
    from shared.settings import Settings
    from shared.storage.engine import opened

    if (len(receipts) > 0) + everything + (reason is not None) != 1:
        raise click.UsageError("say which: RECEIPT…, --reason REASON, or --all")
    with (
        opened(Settings.load().need_database()) as engine,
        _progress("mengulang / replaying") as watch,
    ):
        replay = Replay(engine, utc_now(), force)
        done = replay.named(receipts, watch) if receipts else replay.waiting(reason, watch)
    click.echo(
        f"{done.counted:,} dihitung, {done.parked:,} tetap diparkir, {done.gone:,} tidak ada / "
        f"{done.counted:,} counted, {done.parked:,} still parked, {done.gone:,} not parked"
    )
    return 1 if receipts and done.gone else 0


def _printable(text: str) -> str:
    """What a stranger sent, without what would command a terminal."""
    return "".join(
        sign if sign.isprintable() or sign in "\n\t" else ascii(sign)[1:-1] for sign in text
    )


@contextmanager
def _progress(label: str) -> Iterator[Watch]:
    """A progress bar on a terminal; nothing elsewhere."""
    if not sys.stderr.isatty():
        yield _silent
        return
    with click.progressbar(length=1, label=label, file=sys.stderr) as bar:

        def watch(done: int, total: int) -> None:
            bar.length = max(total, 1)
            bar.update(done - bar.pos)

        yield watch


def _silent(done: int, total: int) -> None:
    """Watch nothing."""
