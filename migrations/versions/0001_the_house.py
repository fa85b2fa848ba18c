"""The first version: programs, people, ledger, orders, inbox, redemptions, jobs; fenced and guarded."""

from pathlib import Path

from alembic import op
from procrastinate.schema import SchemaManager

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None
works_with = "0001"

_HERE = Path(__file__).parent


def upgrade() -> None:
    driver = op.get_bind().connection.driver_connection
    assert driver is not None
    with driver.cursor() as cursor:
        cursor.execute((_HERE / "0001_tables.sql").read_text())
        cursor.execute((_HERE / "0001_guards.sql").read_text())
        cursor.execute(SchemaManager.get_schema())


def downgrade() -> None:
    raise NotImplementedError("the first version has nothing before it: drop the database instead")
