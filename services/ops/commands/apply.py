"""The command `ikm apply`."""

from typing import BinaryIO

import click


@click.command()
@click.argument("file", type=click.File("rb"))
@click.option(
    "--prune", is_flag=True, help="Also close what FILE does not name (nothing is deleted)."
)
@click.option("--dry-run", is_flag=True, help="Show the difference and change nothing.")
def apply(file: BinaryIO, *, prune: bool, dry_run: bool) -> None:
    """Bring the registry to what FILE says (YAML; - for standard input) and show the difference.

    What FILE names is added or changed; what it does not name stays as it is. With --prune the rest
    is closed as of yesterday, or as of the day of its latest response when that is later.
    """
    from services.ops.registry.difference import describe
    from services.ops.registry.file import apply_text, read_text
    from shared.settings import Settings

    changes = apply_text(Settings.load(), read_text(file), prune=prune, dry_run=dry_run)
    for change in changes:
        click.echo(describe(change))
    click.echo(_conclusion(len(changes), dry_run=dry_run))


def _conclusion(changes: int, *, dry_run: bool) -> str:
    if not changes:
        return "tidak ada perubahan / no change"
    if dry_run:
        return f"{changes} perubahan, belum diterapkan / {changes} changes, not applied (dry run)"
    return f"{changes} perubahan diterapkan / {changes} changes applied"
