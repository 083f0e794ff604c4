"""Receipts follow from a secret of the installation; digests have 64 bits."""

import hmac
import secrets
import uuid

from alembic import op
from psycopg import Connection

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

# The old digests go: they had 32 bits, and nothing can work the new ones out any more. Whoever
# still counts by the old program waits here, and fails then: its digests do not fit.
TABLES = """
ALTER TABLE receipt
  ALTER COLUMN digest DROP NOT NULL,
  ALTER COLUMN digest TYPE BIGINT USING NULL;
CREATE TABLE installation (
    single BOOLEAN DEFAULT true NOT NULL,
    secret BYTEA NOT NULL,
    CONSTRAINT pk_installation PRIMARY KEY (single),
    CONSTRAINT ck_installation_single CHECK (single),
    CONSTRAINT ck_installation_secret CHECK (octet_length(secret) = 32)
);
CREATE TABLE former_receipt (
    former UUID NOT NULL,
    receipt UUID NOT NULL,
    CONSTRAINT pk_former_receipt PRIMARY KEY (former)
);
"""
RECEIPTS = """
UPDATE receipt SET receipt = former_receipt.receipt
FROM former_receipt WHERE former_receipt.former = receipt.receipt;
UPDATE response SET receipt = former_receipt.receipt
FROM former_receipt WHERE former_receipt.former = response.receipt;
UPDATE parked SET receipt = former_receipt.receipt
FROM former_receipt WHERE former_receipt.former = parked.receipt;
"""
# So that every process fetches the registry anew, with the secret.
VERSION = """
UPDATE registry_version
SET version = greatest(version + 1, (extract(epoch FROM clock_timestamp()) * 1000)::bigint);
"""

CHUNK = 50_000
OLD_RECEIPTS = uuid.UUID("3f0c52a4-8a55-4d0e-9a0b-5b1f6f0a7c21")


def upgrade() -> None:
    """Make the secret, and give everything received until now a receipt that follows from it."""
    secret = secrets.token_bytes(32)
    op.execute(TABLES)
    connection = op.get_bind().connection.driver_connection
    if not isinstance(connection, Connection):
        raise TypeError("not a connection of psycopg")
    connection.execute("INSERT INTO installation (secret) VALUES (%s)", [secret])
    _note_new_receipts(connection, secret)
    op.execute("ANALYZE former_receipt")
    op.execute(RECEIPTS)
    op.execute(VERSION)


def _note_new_receipts(connection: "Connection[tuple[object, ...]]", secret: bytes) -> None:
    """Write the new receipt of each old one into `former_receipt`."""
    with connection.cursor("old_receipts") as reader, connection.cursor() as writer:
        reader.execute("SELECT receipt, channel, source_id FROM receipt")
        while chunk := reader.fetchmany(CHUNK):
            with writer.copy("COPY former_receipt (former, receipt) FROM STDIN") as stream:
                for former, channel, source_id in chunk:
                    stream.write_row(
                        (former, _receipt(secret, former, str(channel), str(source_id)))
                    )


def _receipt(secret: bytes, former: object, channel: str, source_id: str) -> uuid.UUID:
    """Return the receipt that the sender's id has now.

    What was parked because its id was used before had a receipt of its own, that of no id; so has
    it now.
    """
    if former == uuid.uuid5(uuid.uuid5(OLD_RECEIPTS, channel), source_id):
        name = channel.encode()
        message = len(name).to_bytes(2, "big") + name + source_id.encode()
    else:
        message = bytes(2) + str(former).encode()
    mac = bytearray(hmac.digest(secret, message, "sha256")[:16])
    mac[6] = mac[6] & 0x0F | 0x80
    mac[8] = mac[8] & 0x3F | 0x80
    return uuid.UUID(bytes=bytes(mac))
