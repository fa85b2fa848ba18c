"""What a shop says of customers with an account: addresses sealed, and whoever can be joined, is."""

from collections.abc import Sequence
from datetime import datetime

from app.db import jobs, members, programs, shop_facts
from app.db.sealing import Vault
from app.db.session import Session
from app.db.shops import ShopRow
from app.domain.changes import CustomerFacts
from app.domain.rules import folded
from app.services.welcome_members import judge_sign_ups


def see_customers(
    session: Session, vault: Vault, seen: Sequence[tuple[ShopRow, CustomerFacts]], *, now: datetime
) -> set[tuple[int, str]]:
    """Store what is said of each. Returns the (shop, customer ref) of those who were erased and stay unknown."""
    by_hash = {
        vault.customer_hash(shop.shop_id, facts.customer_ref): (shop.shop_id, facts.customer_ref)
        for shop, facts in seen
    }
    erased = {by_hash[one] for one in members.is_tombstoned(session, list(by_hash))}
    latest = {(shop.shop_id, facts.customer_ref): (shop, facts) for shop, facts in seen}
    wanted = {key: one for key, one in latest.items() if key not in erased}
    identities = members.add_identities(
        session,
        [(shop.program_id, shop.shop_id, facts.customer_ref) for shop, facts in wanted.values()],
        now=now,
    )
    for key, (_, facts) in wanted.items():
        members.put_personal(
            session,
            vault,
            identities[key],
            email=facts.email,
            email_verified=facts.email_verified,
            name=facts.name,
            now=now,
        )
    told = {key: facts.tags for key, (_, facts) in wanted.items() if facts.tags is not None}
    if told:
        shop_facts.put_tags(
            session, {identities[key].identity_id: folded(tags) for key, tags in told.items()}, now=now
        )
    judge_sign_ups(
        session,
        vault,
        [identities[key].identity_id for key in wanted],
        programs.load_versions(session) if wanted else {},
        now=now,
    )
    _join(session, [identities[key].identity_id for key in wanted])
    return erased


def _join(session: Session, identity_ids: Sequence[int]) -> None:
    """Put in a job for each who proved an address that somebody else proved too, or that guests ordered with."""
    rows = session.rows(
        "SELECT i.program_id, i.id, i.shop_id FROM identities i WHERE {fence:i} AND i.id = ANY(:ids) "
        "AND i.email_hash IS NOT NULL AND i.email_verified AND ("
        "EXISTS (SELECT 1 FROM identities o WHERE {fence:o} AND o.program_id = i.program_id "
        "AND o.email_hash = i.email_hash AND o.email_verified AND o.id <> i.id "
        "AND o.member_id IS DISTINCT FROM i.member_id) "
        "OR EXISTS (SELECT 1 FROM orders g WHERE {fence:g} AND g.program_id = i.program_id "
        "AND g.email_hash = i.email_hash AND g.member_id IS NULL))",
        ids=list(identity_ids),
    )
    wanted = [{"program_id": row.program_id, "identity_id": row.id} for row in rows]
    jobs.enqueue_all(session, "join_identity", wanted)
