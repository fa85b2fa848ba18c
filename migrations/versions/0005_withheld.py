"""Codes that a shop's owner has not let us make: known before somebody pays points for one."""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None
works_with = "0001"  # the oldest revision whose code works with the tables after this


def upgrade() -> None:
    op.execute("ALTER TABLE shops ADD COLUMN withheld JSONB NOT NULL DEFAULT '{}'")


def downgrade() -> None:
    op.execute("ALTER TABLE shops DROP COLUMN withheld")
