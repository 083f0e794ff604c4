"""The command `ikm status`."""

import json

import click


@click.command()
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def status(*, as_json: bool) -> int:
    """Show what runs, what waits, what is parked and stale. Exit 1 when something is not well."""
    from services.ops.health import examine
    from services.ops.terminal import Column, print_table
    from shared.settings import Settings

    health = examine(Settings.load())
    if as_json:
        click.echo(json.dumps(health.document(), indent=2, default=str))
    else:
        print_table([Column(least_width=23), Column()], health.lines())
        for trouble in health.troubles:
            click.echo(f"! {trouble}", err=True)
    return 1 if health.troubles else 0
