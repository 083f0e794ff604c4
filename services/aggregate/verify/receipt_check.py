"""Each receipt follows from channel and id, stands for one content, and has its row."""

from collections.abc import Iterator

import sqlalchemy as sa

from services.aggregate.verify.findings import in_words
from shared.domain.submission.identity import ReceiptMaker, receipt_text
from shared.storage.checks import receipt_checks
from shared.storage.checks.receipt_checks import StoredReceipt
from shared.storage.checks.row_rules import EXAMPLES, Mismatches
from shared.storage.registry import stored_registry
from shared.wire import digest_of


def underived(connection: sa.Connection) -> Iterator[str]:
    """Yield the receipts that do not follow from their channel and id."""
    secret = stored_registry.read_secret(connection)
    if not secret:
        yield "installation: the secret from which receipts follow is missing"
        return
    maker = ReceiptMaker(secret)
    total, examples = 0, list[str]()
    for chunk in receipt_checks.all_receipts(connection):
        for stored in chunk:
            plain = maker.receipts(stored.channel, [stored.source_id])
            if stored.receipt != plain and not _is_of_conflict(maker, stored, plain):
                total += 1
                if len(examples) < EXAMPLES:
                    name = f"channel={stored.channel} source_id={stored.source_id}"
                    examples.append(f"{receipt_text(stored.receipt)} [{name}]")
    wrong = "the receipt is not the one of its channel and id"
    yield from in_words("receipt", Mismatches(wrong, total, examples))


def altered(connection: sa.Connection) -> Iterator[str]:
    """Yield the parked bodies that are not those that their receipts stand for."""
    total, examples = 0, list[str]()
    for parked in receipt_checks.parked_bodies(connection):
        if digest_of(parked.body) != parked.digest:
            total += 1
            if len(examples) < EXAMPLES:
                examples.append(receipt_text(parked.receipt))
    wrong = "the body has another digest than its receipt"
    yield from in_words("parked", Mismatches(wrong, total, examples))


def repeated(connection: sa.Connection) -> Iterator[str]:
    """Yield the ids of which one content is counted twice."""
    yield from in_words("receipt", receipt_checks.repeated_contents(connection))


def unmatched(connection: sa.Connection, state: str) -> Iterator[str]:
    """Yield the receipts of a state without the row that belongs to them, and such rows."""
    yield from in_words("receipt", receipt_checks.receipts_without_row(connection, state))
    table = receipt_checks.TABLES[state].name
    yield from in_words(table, receipt_checks.rows_without_receipt(connection, state))


def contradictions(connection: sa.Connection) -> Iterator[str]:
    """Yield the rows that say something else than their receipt."""
    for table, mismatches in receipt_checks.contradictions(connection):
        yield from in_words(table, mismatches)


def _is_of_conflict(maker: ReceiptMaker, stored: StoredReceipt, plain: bytes) -> bool:
    """Tell whether it is the receipt of an id used twice.

    What came before digests had 64 bits has none: nothing tells then what it followed from.
    """
    digest = stored.digest
    return digest is None or stored.receipt == maker.conflict_receipt(plain, digest)
