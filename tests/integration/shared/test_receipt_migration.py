"""What was received before receipts followed from a secret is still received once, and answers."""

import uuid
from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config

from services.aggregate.worker.context import WorkerContext
from shared.domain.submission.identity import ReceiptMaker
from shared.inbox.entry import Parcel
from shared.storage import lookups, migrate, tables
from shared.storage.engine import transaction
from shared.storage.migrations.versions import m0005_receipt_secret
from shared.storage.registry import stored_registry
from tests.integration.aggregate.counting.counting import (
    NOW_US,
    Sent,
    append,
    apply,
    count,
    ledger_totals,
    put,
    sent,
    worker_context,
)

# What m0005 did, undone: tables and columns as the version before had them.
BEFORE = """
DROP TABLE installation;
DROP TABLE former_receipt;
ALTER TABLE receipt ALTER COLUMN digest TYPE INTEGER USING 7, ALTER COLUMN digest SET NOT NULL;
UPDATE alembic_version SET version_num = '0004';
"""


def old_receipt(channel: str, source_id: str) -> uuid.UUID:
    return uuid.uuid5(uuid.uuid5(m0005_receipt_secret.OLD_RECEIPTS, channel), source_id)


@pytest.fixture
def context(database_url: str, redis_url: str) -> Iterator[WorkerContext]:
    with worker_context(database_url, redis_url) as worker:
        apply(worker.engine)
        yield worker


def make_old(engine: sa.Engine) -> None:
    """Give what was counted the schema and the receipts of the version before."""
    with transaction(engine) as connection:
        for code, channel, source_id, reason in connection.execute(
            sa.select(*tables.receipt.c["receipt", "channel", "source_id", "reason"])
        ).all():
            old = old_receipt(channel, source_id)
            if reason == "id-conflict":
                old = uuid.uuid5(old, "digest")
            for table in (tables.receipt, tables.response, tables.parked):
                connection.execute(
                    sa.update(table).where(table.c.receipt == code).values(receipt=old)
                )
        connection.execute(sa.text(BEFORE))


def upgrade(database_url: str) -> None:
    """Run the step that makes the secret; later ones were there already."""
    config = Config()
    config.set_main_option("script_location", str(migrate.MIGRATIONS))
    engine = sa.create_engine(database_url, poolclass=sa.NullPool)
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0005")
        command.stamp(config, "head")


def receipts(context: WorkerContext) -> dict[str, uuid.UUID]:
    with context.engine.connect() as connection:
        rows = connection.execute(
            sa.select(tables.receipt.c.source_id, tables.receipt.c.receipt).where(
                tables.receipt.c.reason.is_distinct_from("id-conflict")
            )
        )
        return {row.source_id: row.receipt for row in rows}


def old_entry(item: Sent) -> list[Parcel]:
    """An entry as the version before wrote it."""
    receipt = old_receipt(item.channel, item.source_id).bytes
    return [Parcel(item.channel, NOW_US, receipt, [item.source_id], [item.body])]


def test_what_was_received_before_is_a_repetition_after(
    context: WorkerContext, database_url: str, redis_url: str
) -> None:
    items = [sent("a"), sent("b", channel="kiosk"), sent("c", opd="tidak-ada")]
    put(redis_url, *items, sent("a", comment="lain"))
    count(context)
    assert ledger_totals(context.engine) == (4, 2, 0, 2)
    before = len(receipts(context))
    make_old(context.engine)
    append(redis_url, old_entry(sent("w")), old_entry(items[0]))  # waits in the inbox meanwhile
    upgrade(database_url)
    with transaction(context.engine) as connection:
        secret = stored_registry.read_secret(connection)
    put(redis_url, *items, sent("w"), sent("w"))
    count(context)
    assert ledger_totals(context.engine) == (4 + 2 + 5, 3, 6, 2)
    assert len(receipts(context)) == before + 1
    maker = ReceiptMaker(secret)
    assert receipts(context) == {
        item.source_id: uuid.UUID(bytes=maker.receipts(item.channel, [item.source_id]))
        for item in [*items, sent("w")]
    }


def test_a_receipt_that_was_given_out_answers_and_so_does_the_new_one(
    context: WorkerContext, database_url: str, redis_url: str
) -> None:
    put(redis_url, sent("a"), sent("c", opd="tidak-ada"))
    count(context)
    make_old(context.engine)
    upgrade(database_url)
    with transaction(context.engine) as connection:
        for source_id, state in (("a", "counted"), ("c", "parked")):
            for code in (old_receipt("loket", source_id), receipts(context)[source_id]):
                fate = lookups.fate(connection, code)
                assert fate is not None
                assert fate.state == state
        assert lookups.fate(connection, old_receipt("loket", "x")) is None


def test_every_process_fetches_the_registry_with_the_secret(
    context: WorkerContext, database_url: str
) -> None:
    before = context.registry()
    make_old(context.engine)
    upgrade(database_url)
    after = context.registry()
    assert after.version > before.version
    assert len(after.secret) == 32
    assert after.secret != before.secret
    assert repr(after.secret)[2:-1] not in repr(after)


def test_two_installations_have_two_secrets_and_a_second_run_keeps_the_first(
    context: WorkerContext, database_url: str
) -> None:
    first = context.registry().secret
    migrate.upgrade(database_url)
    with transaction(context.engine) as connection:
        assert stored_registry.read_secret(connection) == first
