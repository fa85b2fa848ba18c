"""What shops say of products and customers beyond their orders, as far as rules ask; and what is still to be read."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from app.db.session import Session, rows_of

ProductKey = tuple[int, str]  # (shop id, product_ref)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a shop is to be asked. `customers`: identity id -> customer ref."""

    product_refs: tuple[str, ...]
    customers: Mapping[int, str]


def find_groups(session: Session, keys: Iterable[ProductKey]) -> dict[ProductKey, tuple[str, ...]]:
    """What each product is sorted into, as read last; one that was not read is left out."""
    wanted = list(keys)
    if not wanted:
        return {}
    rows = session.rows(
        "SELECT p.shop_id, p.product_ref, p.groups FROM product_facts p JOIN unnest(CAST(:shops AS bigint[]), "
        "CAST(:refs AS text[])) AS k(shop_id, product_ref) ON p.shop_id = k.shop_id "
        "AND p.product_ref = k.product_ref WHERE {fence:p} AND p.read_at IS NOT NULL",
        shops=[shop_id for shop_id, _ in wanted],
        refs=[ref for _, ref in wanted],
    )
    return {(row.shop_id, row.product_ref): tuple(row.groups) for row in rows}


def find_tags(session: Session, identity_ids: Sequence[int]) -> dict[int, tuple[str, ...]]:
    """How each customer is tagged, as read last; one that was not read is left out."""
    if not identity_ids:
        return {}
    rows = session.rows(
        "SELECT identity_id, tags FROM customer_facts WHERE {fence} AND identity_id = ANY(:ids) "
        "AND read_at IS NOT NULL",
        ids=list(identity_ids),
    )
    return {row.identity_id: tuple(row.tags) for row in rows}


def want_products(session: Session, program_id: int, keys: Sequence[ProductKey]) -> None:
    session.run(
        "INSERT INTO product_facts (program_id, shop_id, product_ref, wanted) SELECT :program, s, r, true "
        "FROM unnest(CAST(:shops AS bigint[]), CAST(:refs AS text[])) AS u(s, r) "
        "ON CONFLICT (program_id, shop_id, product_ref) DO UPDATE SET wanted = true WHERE NOT product_facts.wanted",
        program=program_id,
        shops=[shop_id for shop_id, _ in keys],
        refs=[ref for _, ref in keys],
    )


def want_tags(session: Session, identity_ids: Sequence[int]) -> None:
    session.run(
        "INSERT INTO customer_facts (program_id, identity_id, shop_id, wanted) "
        "SELECT program_id, id, shop_id, true FROM identities WHERE {fence} AND id = ANY(:ids) "
        "ON CONFLICT (program_id, identity_id) DO UPDATE SET wanted = true WHERE NOT customer_facts.wanted",
        ids=list(identity_ids),
    )


def want_tags_again(session: Session, shop_id: int, customer_ref: str) -> bool:
    """Whether a rule ever asked for this customer's tags; then they are to be read again."""
    found = session.first(
        "UPDATE customer_facts c SET wanted = true FROM identities i WHERE {fence:c} AND {fence:i} "
        "AND i.program_id = c.program_id AND i.id = c.identity_id AND i.shop_id = :shop "
        "AND i.customer_ref = :ref RETURNING 1",
        shop=shop_id,
        ref=customer_ref,
    )
    return found is not None


def want_again(session: Session, *, before: datetime) -> None:
    """Products read before then are read again: nobody tells when a collection changes."""
    session.run(
        "UPDATE product_facts SET wanted = true WHERE {fence} AND NOT wanted AND read_at < :before",
        before=before,
    )


def shops_that_owe(session: Session) -> list[int]:
    """Shops that are to be asked something and may be called."""
    rows = session.rows(
        "SELECT s.id FROM shops s WHERE {fence:s} AND s.state = 'connected' AND s.access_problem IS NULL AND ("
        "EXISTS (SELECT 1 FROM product_facts p WHERE {fence:p} AND p.program_id = s.program_id "
        "AND p.shop_id = s.id AND p.wanted) "
        "OR EXISTS (SELECT 1 FROM customer_facts c WHERE {fence:c} AND c.program_id = s.program_id "
        "AND c.shop_id = s.id AND c.wanted)) ORDER BY s.id"
    )
    return [row.id for row in rows]


def find_wanted(session: Session, shop_id: int, *, limit: int) -> Wanted:
    """The next that are to be read; what was never read comes first, since orders wait for it."""
    products = session.rows(
        "SELECT product_ref FROM product_facts WHERE {fence} AND shop_id = :shop AND wanted "
        "ORDER BY read_at NULLS FIRST, product_ref LIMIT :limit",
        shop=shop_id,
        limit=limit,
    )
    customers = session.rows(
        "SELECT c.identity_id, i.customer_ref FROM customer_facts c JOIN identities i ON {fence:i} "
        "AND i.program_id = c.program_id AND i.id = c.identity_id WHERE {fence:c} AND c.shop_id = :shop AND c.wanted "
        "ORDER BY c.read_at NULLS FIRST, c.identity_id LIMIT :limit",
        shop=shop_id,
        limit=limit,
    )
    return Wanted(
        tuple(row.product_ref for row in products), {row.identity_id: row.customer_ref for row in customers}
    )


def put_groups(session: Session, shop_id: int, groups: Mapping[str, Sequence[str]], *, now: datetime) -> None:
    session.run(
        "UPDATE product_facts p SET groups = u.groups, wanted = false, read_at = :now "
        "FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS u(ref text, groups jsonb) "
        "WHERE {fence:p} AND p.shop_id = :shop AND p.product_ref = u.ref",
        rows=rows_of([{"ref": ref, "groups": list(found)} for ref, found in groups.items()]),
        shop=shop_id,
        now=now,
    )


def put_tags(session: Session, tags: Mapping[int, Sequence[str]], *, now: datetime) -> None:
    """Of customers whom a rule asked about before; others are not kept."""
    session.run(
        "UPDATE customer_facts c SET tags = u.tags, wanted = false, read_at = :now "
        "FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS u(id bigint, tags jsonb) "
        "WHERE {fence:c} AND c.identity_id = u.id",
        rows=rows_of([{"id": identity, "tags": list(found)} for identity, found in tags.items()]),
        now=now,
    )


def forget_tags(session: Session, identity_id: int) -> None:
    session.run("DELETE FROM customer_facts WHERE {fence} AND identity_id = :id", id=identity_id)
