"""Whatever is changed by hand is noticed, column by column; tests/guards: no column is missing."""

from collections.abc import Iterator
from typing import NamedTuple
from uuid import uuid4

import pytest
import sqlalchemy as sa

from services.aggregate.verify.findings import Finding
from services.aggregate.verify.inbox_check import InboxReading
from services.aggregate.verify.proof import plan
from services.aggregate.verify.steps import take
from services.ops.stack.servers import Postgres, Redis
from shared.storage.checks import ledger_checks, receipt_checks
from tests.conftest import TEMPLATE
from tests.integration.aggregate.verify.small_city import small_city, tamper
from tests.integration.aggregate.verify.tampering import (
    CHANGED,
    REMOVED,
    Tampering,
)


class City(NamedTuple):
    """A connection that sees the small city, and the inbox as it was read."""

    connection: sa.Connection
    inbox: InboxReading

    def findings(self, check: str | None = None) -> list[Finding]:
        """What is found, by all checks or by one."""
        steps, _ = plan(self.connection, self.inbox)
        chosen = [step for step in steps if check in (None, step.check)]
        return [finding for step in chosen for finding in take(self.connection, step)]


@pytest.fixture(scope="module")
def city(postgres_server: Postgres, redis_server: Redis) -> Iterator[City]:
    """One city for all: each change is taken back."""
    name = f"t_{uuid4().hex[:16]}"
    with postgres_server.connect("postgres") as administrator:
        administrator.execute(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE}")
        with redis_server.connect() as redis:
            redis.flushall()
        with (
            small_city(postgres_server.database_url(name), redis_server.url) as (context, inbox),
            context.engine.connect() as connection,
        ):
            yield City(connection, inbox)
        administrator.execute(f"DROP DATABASE {name} WITH (FORCE)")


def test_nothing_is_found_before_anything_is_changed(city: City) -> None:
    assert not city.findings()


@pytest.mark.parametrize(
    "tampering",
    [
        pytest.param(tampering, id=name)
        for name, tampering in [*sorted(CHANGED.items()), *sorted(REMOVED.items())]
    ],
)
def test_a_change_by_hand_is_noticed(city: City, tampering: Tampering) -> None:
    with city.connection.begin_nested() as savepoint:
        tamper(city.connection, tampering.statement)
        assert city.findings(tampering.check)
        savepoint.rollback()


@pytest.mark.parametrize(
    ("statement", "subject"),
    [
        (
            "UPDATE day_tally SET questionnaire = 'x' WHERE opd = 'dinkes'",
            "rolling: OPD dinkes cannot be checked",
        ),
        (
            """UPDATE questionnaire
            SET definition = jsonb_set(definition, '{unsur,0,weight}', '2000000000')
            WHERE code = 'singkat'""",
            "tally: the tallies of dinkes cannot be checked",
        ),
    ],
)
def test_a_sick_opd_is_reported_and_the_others_are_checked(
    city: City, statement: str, subject: str
) -> None:
    with city.connection.begin_nested() as savepoint:
        tamper(city.connection, statement)
        tamper(city.connection, "UPDATE rolling_ikm SET ikm = 1 WHERE opd = 'disdukcapil'")
        findings = city.findings()
        texts = [f"{finding.check}: {finding.text}" for finding in findings]
        assert any(text.startswith(subject) for text in texts), texts
        assert any(text.startswith("rolling: rolling_ikm disdukcapil") for text in texts), texts
        savepoint.rollback()


def test_a_sick_opd_that_stays_stale_is_reported(city: City) -> None:
    with city.connection.begin_nested() as savepoint:
        tamper(city.connection, "UPDATE day_tally SET questionnaire = 'x' WHERE opd = 'dinkes'")
        tamper(city.connection, "UPDATE opd_state SET version = version + 1 WHERE opd = 'dinkes'")
        texts = [finding.text for finding in city.findings("rolling")]
        assert texts == ["OPD dinkes cannot be checked: 'x'"]
        savepoint.rollback()


def test_a_registry_that_cannot_be_read_is_reported_and_the_ledger_is_checked(city: City) -> None:
    with city.connection.begin_nested() as savepoint:
        tamper(city.connection, "UPDATE questionnaire SET definition = '{}'")
        tamper(city.connection, "UPDATE inbox_entry SET accepted = accepted + 1")
        checks = {finding.check for finding in city.findings()}
        assert checks == {"registry", "balance", "accepted"}
        savepoint.rollback()


def test_of_many_wrong_rows_a_few_are_named_and_all_are_counted(city: City) -> None:
    with city.connection.begin_nested() as savepoint:
        tamper(city.connection, "UPDATE response SET age = 121 WHERE layanan = 'ktp-el'")
        findings = city.findings()
        [text] = [finding.text for finding in findings if "age is out of range" in finding.text]
        assert text.startswith("response: the age is out of range: 31 (")
        assert text.count("age=121") == 5
        assert text.endswith(", …)")
        savepoint.rollback()


def test_receipts_are_read_a_few_at_a_time(city: City, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(receipt_checks, "_CHUNK", 7)
    sizes = [len(chunk) for chunk in receipt_checks.all_receipts(city.connection)]
    assert max(sizes) == 7
    assert sum(sizes) == sum(ledger_checks.count_receipts(city.connection))
