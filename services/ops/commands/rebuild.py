"""The command `ikm rebuild`."""

import click


@click.command()
def rebuild() -> None:
    """Work the day tallies out anew from the responses.

    Counting waits meanwhile; ingest and readers go on.
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
