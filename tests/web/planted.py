"""A script in every field of text that the tables have, whoever may have written it: also where nobody can today.

What is left out decides something, and is named here: a page would not be the same page with other words in it. A new
column is planted from its first day, by itself.
"""

import json
import re
from typing import Any

import psycopg
from psycopg.sql import SQL, Identifier
from sqlalchemy import Table, Text
from sqlalchemy.dialects.postgresql import JSONB

from app.db.tables import UNFENCED, metadata
from tests.web.hostile_text import RAN

ELSEWHERE = "elsewhere.test"
# Ends every place that text can stand in, and asks a stranger for something.
SCRIPT = (
    "\"'>--></title></textarea></script></style></svg><b data-planted=1>"
    f"<script>{RAN}</script><img src=//{ELSEWHERE}/x onerror={RAN}><svg/onload={RAN}>"
    f"<link rel=stylesheet href=//{ELSEWHERE}/y><a href=javascript:{RAN}>x</a>"
)

DECIDES = frozenset(
    {
        *("programs.key", "shops.key", "shops.platform", "shops.shop_ref", "shops.url", "shops.currency"),
        *("shops.timezone", "shops.state", "shops.staff_role", "staff.role", "inbox.state"),
        *("members.tier_key", "tier_changes.from_key", "tier_changes.to_key", "tier_changes.cause"),
        *("tier_floors.tier_key", "tier_floors.cause", "tier_rewards.tier_key", "merges.cause"),
        *("reviews.decision", "review_acts.act", "reviews.signals", "privacy_requests.kind", "previews.kind"),
        *(
            "entries.kind",
            "entries.source",
            "entries.origin",
            "lots.origin",
            "repairs.cause",
            "repairs.subject",
        ),
        *("orders.order_ref", "orders.excluded", "orders.held_reason", "orders.terms_tier"),
        *("orders.known", "orders.spend", "orders.digest", "identities.customer_ref"),
        *("activities.key", "activities.kind", "activities.slot", "activities.zero"),
        *("redemptions.reward_key", "redemptions.code_key", "redemptions.state", "redemptions.closing"),
        *("reconciliations.kind", "reconciliations.cursor", "failed_jobs.name", "failed_jobs.args"),
        *("triggers.trigger", "happenings.trigger", "happenings.from_key", "happenings.to_key"),
        # What a merchant may write into a program goes through its own check, in `hostile_document`.
        *("program_versions.document", "previews.asked", "previews.result"),
    }
)
# Within what else is a document: what is no word, and the names of what decides.
_NO_WORD = re.compile(r"-?\d+([.,]\d+)?|\d{4}-\d\d-\d\dT.*|[A-Z]{3}")
_KEPT = {
    *("state", "kind", "key", "rule", "tier", "reason", "unused", "combines", "source", "when", "found"),
    *(
        "order_ref",
        "customer_ref",
        "refund_ref",
        "line_ref",
        "return_on_refund",
        "barrier",
        "problem",
        "zero",
    ),
}


def plant(broom: psycopg.Connection, program_id: int) -> set[str]:
    """As the superuser, past every rule. Returns the columns that have it now, as `table.column`."""
    planted: set[str] = set()
    with broom.transaction():
        broom.execute("SET LOCAL session_replication_role = replica")
        for table in metadata.sorted_tables:
            if table.name not in UNFENCED:
                planted |= _plant_table(broom, table, program_id)
    return planted


def _plant_table(broom: psycopg.Connection, table: Table, program_id: int) -> set[str]:
    columns = [
        column
        for column in table.columns
        if isinstance(column.type, Text | JSONB) and f"{table.name}.{column.name}" not in DECIDES
    ]
    planted: set[str] = set()
    for column in columns:
        name = Identifier(column.name)
        rows = broom.execute(
            SQL("SELECT ctid::text, {} FROM {} WHERE program_id = %s").format(name, Identifier(table.name)),
            [program_id],
        ).fetchall()
        for number, (place, held) in enumerate(rows):
            words = f"{table.name}.{column.name} {number} {SCRIPT}"
            if isinstance(column.type, JSONB) and held is None:
                continue
            fresh = json.dumps(_within(held, words)) if isinstance(column.type, JSONB) else words
            # Its place is another one after each change: the next column looks anew.
            broom.execute(
                SQL("UPDATE {} SET {} = %s WHERE program_id = %s AND ctid = %s::tid").format(
                    Identifier(table.name), name
                ),
                [fresh, program_id, place],
            )
            planted.add(f"{table.name}.{column.name}")
    return planted


def _within(value: Any, words: str, name: str = "") -> Any:
    match value:
        case dict():
            return {key: _within(one, words, key) for key, one in value.items()}
        case list():
            return [_within(one, words, name) for one in value]
        case str() if value and name not in _KEPT and not _NO_WORD.fullmatch(value):
            return words
        case _:
            return value
