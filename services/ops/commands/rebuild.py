"""The command `ikm rebuild`."""

import click


@click.command()
def rebuild() -> int:
    """Work the day tallies out anew from the responses.

    Counting waits meanwhile; ingest and readers go on. Exit 1 when responses of an OPD cannot be
    added up: it keeps its tallies.
    """
    from services.aggregate.counting.rebuild import rebuild as rebuild_tallies
    from services.ops.terminal import progress
    from shared.settings import Settings
    from shared.storage.engine import opened

    with (
        opened(Settings.load().need_database()) as engine,
        progress("membangun ulang / rebuilding") as tell,
    ):
        done = rebuild_tallies(engine, tell)
    click.echo(
        f"{done.responses:,} jawaban dijumlahkan, {done.changed:,} baris berubah, "
        f"{done.opd} OPD disegarkan / {done.responses:,} responses added up, "
        f"{done.changed:,} rows changed, {done.opd} OPDs to be refreshed"
    )
    for reason in done.left_out:
        click.echo(
            f"OPD tidak dapat dibangun ulang, angkanya tetap / "
            f"this OPD cannot be rebuilt and keeps its tallies: {reason}",
            err=True,
        )
    return 1 if done.left_out else 0
