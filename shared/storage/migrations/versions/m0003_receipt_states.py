"""A receipt is counted or parked: the two states that are set, and that `ikm verify` can prove."""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

STATES = """
ALTER TABLE receipt
  DROP CONSTRAINT ck_receipt_state,
  ADD CONSTRAINT ck_receipt_state CHECK (state IN ('counted', 'parked'));
"""


def upgrade() -> None:
    """Refuse the states that nothing ever set."""
    op.execute(STATES)
