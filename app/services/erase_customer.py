"""Forgetting a person: what names them goes, a keyed-hash tombstone stays, the ledger stays whole."""

from collections.abc import Sequence
from datetime import datetime

from app.db import directory, happenings, members, profiles, shop_facts
from app.db.directory import Kind
from app.db.sealing import Vault
from app.db.session import Session

# Links that were mailed to them, and where they are signed in.
_OF_A_PERSON = (Kind.EMAIL_PROOF, Kind.MEMBER_SIGN_IN, Kind.MEMBER_SESSION)


def erase_customer(
    session: Session,
    vault: Vault,
    shop_id: int,
    customer_ref: str | None,
    *,
    email: str | None,
    order_refs: Sequence[str] = (),
    now: datetime,
) -> bool:
    """Forget this customer of this shop. Returns whether we knew them. Asked twice, nothing more happens.

    Entries name our ids only, so nothing of them changes. Other shops' customers that belong to the same member
    stay: each shop asks for its own. `order_refs`: orders that the shop says are theirs.
    `customer_ref` None: a guest, known by `email` alone. Deliveries that still
    wait keep their bodies until they are looked at; those looked at in this transaction must be finished before.
    """
    key = (shop_id, customer_ref or "")
    identity = members.find_identities(session, [key]).get(key) if customer_ref else None
    hashes = [vault.customer_hash(shop_id, customer_ref)] if customer_ref else []
    addresses = [vault.email_hash(email)] if email else []
    if identity is not None and identity.email_hash is not None:
        addresses.append(identity.email_hash)
    members.add_tombstones(session, [*hashes, *addresses], now=now)
    _empty_bodies(session, shop_id, customer_ref, addresses, order_refs)
    session.run(
        "UPDATE orders SET email_hash = NULL WHERE {fence} AND shop_id = :shop "
        "AND email_hash = ANY(CAST(:addresses AS bytea[]))",
        shop=shop_id,
        addresses=addresses,
    )
    session.run(
        "UPDATE orders SET snapshot = jsonb_set(snapshot, '{customer_ref}', 'null'), email_hash = NULL "
        "WHERE {fence} AND shop_id = :shop AND snapshot->>'customer_ref' = :ref",
        shop=shop_id,
        ref=customer_ref,
    )
    if customer_ref:
        profiles.take_back(session, shop_id, customer_ref, now=now)
    if identity is None:
        return False
    session.run(
        "UPDATE identities SET customer_ref = 'erased:' || id, email = NULL, name = NULL, email_hash = NULL, "
        "mailbox_hash = NULL, email_verified = false WHERE {fence} AND id = :id",
        id=identity.identity_id,
    )
    shop_facts.forget_tags(session, identity.identity_id)
    directory.remove_all(session.connection, _OF_A_PERSON, identity.program_id, [identity.identity_id])
    _forget_the_rest(session, identity.member_id, now)
    return True


def _forget_the_rest(session: Session, member_id: int | None, now: datetime) -> None:
    """With the last of a person's customers goes what they told us themselves: birthday, code, details."""
    gone = session.first(
        "UPDATE members m SET erased_at = :now WHERE {fence:m} AND m.id = :member AND NOT EXISTS ("
        "SELECT 1 FROM identities i WHERE {fence:i} AND i.member_id = m.id AND i.customer_ref NOT LIKE 'erased:%') "
        "RETURNING 1",
        member=member_id,
        now=now,
    )
    if gone is not None and member_id is not None:
        forget_member(session, member_id)


def forget_member(session: Session, member_id: int) -> None:
    """What is kept beside a member's customers, of accounts merged into theirs too."""
    ours = members.find_merged(session, member_id)
    happenings.forget_members(session, ours)
    session.run("DELETE FROM birthdays WHERE {fence} AND member_id = ANY(:ids)", ids=ours)
    session.run(
        "UPDATE members SET referral_code = NULL, card_hash = NULL WHERE {fence} AND id = ANY(:ids)", ids=ours
    )
    session.run(
        "UPDATE activities SET detail = NULL WHERE {fence} AND member_id = ANY(:ids) AND detail IS NOT NULL",
        ids=ours,
    )


def _empty_bodies(
    session: Session,
    shop_id: int,
    customer_ref: str | None,
    addresses: Sequence[bytes],
    order_refs: Sequence[str],
) -> None:
    """What was received about the person is emptied; that it was received stays."""
    session.run(
        "UPDATE inbox i SET body = NULL, customer_ref = NULL WHERE {fence:i} AND i.shop_id = :shop "
        "AND i.state <> 'new' AND (i.customer_ref = :ref OR i.order_ref = ANY(:orders) OR i.order_ref IN ("
        "SELECT o.order_ref FROM orders o WHERE {fence:o} AND o.shop_id = :shop "
        "AND (o.snapshot->>'customer_ref' = :ref OR o.email_hash = ANY(CAST(:addresses AS bytea[])))))",
        shop=shop_id,
        ref=customer_ref,
        orders=list(order_refs),
        addresses=list(addresses),
    )
