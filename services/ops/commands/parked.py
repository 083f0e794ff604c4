"""The commands `ikm parked list`, `ikm parked show` and `ikm parked replay`."""

import json
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import click


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
    from services.ops.terminal import Column, print_table
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
        _print_rows(rows)
    print_table(
        [Column(least_width=9, is_number=True), Column()],
        ((f"{count:,}", name) for name, count in totals.items()),
    )


@parked.command("show")
@click.argument("receipt", type=click.UUID)
def _show(receipt: UUID) -> int:
    """Show one parked submission: why it waits, and its body as it was sent."""
    from services.ops.terminal import printable
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
            click.echo(f"{name:<12} {'-' if value is None else printable(str(value))}")
    for violation in row["violations"]:
        pointer = violation["pointer"] or "(all)"
        click.echo(printable(f"violation    {pointer}: {violation['code']}: {violation['detail']}"))
    if row["emptied_at"] is not None:
        click.echo("isi sudah dikosongkan / its body was emptied when its retention was over")
        return 0
    click.echo(printable(bytes(row["body"]).decode(errors="backslashreplace")))
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
    from services.ops.terminal import progress
    from shared.settings import Settings
    from shared.storage.engine import opened

    if (len(receipts) > 0) + everything + (reason is not None) != 1:
        raise click.UsageError("say which: RECEIPT…, --reason REASON, or --all")
    with (
        opened(Settings.load().need_database()) as engine,
        progress("mengulang / replaying") as tell,
    ):
        replay = Replay(engine, force)
        done = replay.named(receipts, tell) if receipts else replay.waiting(reason, tell)
    click.echo(
        f"{done.counted:,} dihitung, {done.parked:,} tetap diparkir, {done.gone:,} tidak ada / "
        f"{done.counted:,} counted, {done.parked:,} still parked, {done.gone:,} not parked"
    )
    return 1 if receipts and done.gone else 0


def _print_rows(rows: Sequence[Mapping[str, Any]]) -> None:
    from services.ops.terminal import Column, print_table

    columns = [
        Column("RECEIPT", least_width=36, is_whole=True),
        Column("DITERIMA", least_width=25),
        Column("KANAL", least_width=16),
        Column("ALASAN", least_width=22),
        Column("ULANG", least_width=5, is_number=True),
    ]
    cells = (
        (
            row["receipt"],
            row["received_at"].isoformat(timespec="seconds"),
            row["channel"],
            row["reason"],
            row["tries"],
        )
        for row in rows
    )
    print_table(columns, cells)
