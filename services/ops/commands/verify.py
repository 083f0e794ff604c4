"""The command `ikm verify`."""

import json

import click


@click.command()
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def verify(*, as_json: bool) -> int:
    """Prove accepted = counted + duplicate + parked, and every figure from the responses.

    Changes nothing and may run at any time. Exit 0 when nothing is found, 1 with a line for each
    finding.
    """
    from services.aggregate.verify.proof import verify as prove
    from services.ops.terminal import progress
    from shared.connections import worker_redis
    from shared.inbox.audit import Audit
    from shared.settings import Settings
    from shared.storage.engine import opened

    settings = Settings.load()
    redis = worker_redis(settings.need_redis())
    with (
        redis,
        opened(settings.need_database()) as engine,
        progress("memeriksa / checking") as tell,
    ):
        report = prove(engine, Audit(redis, settings.redis_prefix), tell)
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
