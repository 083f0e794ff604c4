"""The command `ikm simulate`: a city's respondents, sent at a steady rate as channels send them."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from shared.domain.errors import IkmError

if TYPE_CHECKING:
    from services.ops.simulate.sending import Outcome
    from shared.registry.snapshot import Registry
    from shared.settings import Settings


class NoKey(IkmError):
    """No channel key: give --key, or start the stack with an example."""


@click.command()
@click.option(
    "--rate",
    type=click.FloatRange(0.1),
    default=20.0,
    show_default=True,
    help="Submissions a second.",
)
@click.option(
    "--seconds", type=click.FloatRange(0.1), default=30.0, show_default=True, help="How long."
)
@click.option(
    "--seed", type=int, default=1, show_default=True, help="The same seed draws the same people."
)
@click.option(
    "--days",
    type=click.IntRange(0),
    default=0,
    show_default=True,
    help="Spread answers over past days.",
)
@click.option(
    "--duplicates",
    type=click.FloatRange(0, 1),
    default=0.02,
    show_default=True,
    help="Share sent again.",
)
@click.option(
    "--bad",
    type=click.FloatRange(0, 1),
    default=0.01,
    show_default=True,
    help="Share that is wrong.",
)
@click.option("--url", help="Address of the service.  [default: the running stack]")
@click.option("--key", help="Channel key.  [default: that of the running stack's example]")
def simulate(  # noqa: PLR0913, PLR0917 - one parameter an option
    rate: float,
    seconds: float,
    seed: int,
    days: int,
    duplicates: float,
    bad: float,
    url: str | None,
    key: str | None,
) -> int:
    """Send made-up respondents, not to a real survey.

    Their answers hang together, have gaps, are sent again, and a share of them is bad.
    """
    from services.ops.simulate.respondents import Manners, Population
    from services.ops.simulate.sending import Load, send
    from services.ops.terminal import progress
    from shared.clock import utc_now
    from shared.settings import Settings, running_stack

    settings = Settings.load()
    manners = Manners(duplicates=duplicates, bad=bad, days=days)
    people = Population(_stored_registry(settings), seed, manners, utc_now()).submissions()
    address = url or running_stack(settings.home).get("url") or f"http://127.0.0.1:{settings.port}"
    load = Load(str(address), key or _example_key(settings.home), rate, seconds)
    with progress("mengirim / sending") as tell:
        outcome = send(people, load, tell)
    _report(outcome)
    return 1 if outcome.failed else 0


def _stored_registry(settings: "Settings") -> "Registry":
    from shared.storage.engine import opened
    from shared.storage.registry import stored_registry

    with opened(settings.need_database()) as engine, engine.connect() as connection:
        return stored_registry.load(connection)


def _report(outcome: "Outcome") -> None:
    from services.ops.terminal import Column, print_table

    sent = len(outcome.answers)
    rows = [("terkirim / sent", f"{sent:,}", f"({sent / outcome.seconds:,.0f}/s)")]
    rows += [
        (f"  {status or 'no answer'}", f"{count:,}", "")
        for status, count in sorted(outcome.statuses.items())
    ]
    rows.append(
        (
            "diulang / repeated",
            f"{outcome.repeated:,}",
            "(503 or a lost answer: sent again under the same id)",
        )
    )
    print_table([Column(least_width=19), Column(least_width=9, is_number=True), Column()], rows)
    if sent:
        p50_ms, p99_ms = outcome.latency_ms(0.5), outcome.latency_ms(0.99)
        click.echo(f"jawaban / answers     p50 {p50_ms:.1f} ms, p99 {p99_ms:.1f} ms")


def _example_key(home: Path) -> str:
    path = home / "example.key"
    if not path.is_file():
        raise NoKey(str(path))
    return path.read_text(encoding="utf-8").strip()
