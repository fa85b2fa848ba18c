"""Referrals are found by their time: the look for abuse asks every few minutes for those of some days."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None
works_with = "0001"  # the oldest revision whose code works with the tables after this


def upgrade() -> None:
    # Without a transaction, so that friends go on being brought meanwhile. One that was broken off leaves an
    # index that is not valid, under the same name.
    with op.get_context().autocommit_block():
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS ix_referrals_at")
        op.execute("CREATE INDEX CONCURRENTLY ix_referrals_at ON referrals (program_id, at)")


def downgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS ix_referrals_at")
