"""Which customer of a shop went into which: an undone merge of members does not part what a shop has made one."""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None
works_with = "0001"  # the oldest revision whose code works with the tables after this


def upgrade() -> None:
    # What went before this is not known, and stays so.
    op.execute("ALTER TABLE identities ADD COLUMN gone_into BIGINT")
    op.execute(
        "ALTER TABLE identities ADD CONSTRAINT gone_into_identities "
        "FOREIGN KEY (program_id, gone_into) REFERENCES identities (program_id, id)"
    )
    op.execute(
        "CREATE INDEX ix_identities_gone_into ON identities (program_id, gone_into) WHERE gone_into IS NOT NULL"
    )


def downgrade() -> None:
    op.execute("ALTER TABLE identities DROP COLUMN gone_into")
