"""Who stands behind a page in a shop's own admin: the platform vouches for the person, we say what they may do.

Nobody is invited there. A person not seen before is written down under the shop they come from, with the role that
this shop's people get (`shops.staff_role`); where it has none, nobody new comes in. The first to open us from the shop
that a program began with owns it, as long as nobody else does: they have just installed us.
"""

from datetime import timedelta
from typing import Any

from app.db import directory, shops
from app.db.directory import Found, Kind
from app.db.session import Session
from app.db.shops import ShopRow
from app.domain.errors import Refused
from app.domain.staff import Role
from app.services.begin_install import get_connector
from app.services.find_visitor import Visitor, find_visitor
from app.services.runtime import Runtime
from connectors.base import Frame, InstallRequest, Page, StaffProof

_SEEN_EVERY = timedelta(minutes=5)
_LONGEST_SHOP_NAME = 60


def get_frame(rt: Runtime, platform: str) -> Frame:
    """Raises: Refused("not_found") for a platform that frames nobody."""
    connector = get_connector(rt, platform)
    if connector.frame is None:
        raise Refused("not_found", "There is nothing here.")
    return connector.frame


def check_frame(rt: Runtime, platform: str, shop_ref: str, request: InstallRequest) -> Visitor | Page:
    """The visitor; or what to answer instead, the platform's own page. Asked with every request: there is no session.

    Raises: Refused (bad_id_token and the like, shop_not_connected, not_allowed).
    """
    proof = get_frame(rt, platform).prove_staff(request, shop_ref, rt.app_of(platform), rt.now())
    if isinstance(proof, Page):
        return proof
    visitor, _ = let_in(rt, platform, proof, may_found=True)
    return visitor


def let_in(rt: Runtime, platform: str, proof: StaffProof, *, may_found: bool) -> tuple[Visitor, ShopRow]:
    """Who a proven person is to us, and the shop they come from; written down when first seen.

    `may_found`: whether they own a program that nobody owns yet. Raises: Refused (shop_not_connected, not_allowed).
    """
    found = _find(rt, platform, proof)
    if found is None:
        raise _not_connected()
    with rt.db.begin(found.program_id) as session:
        shop = shops.get_shop(session, found.target_id)
        if not is_framed(rt, shop):
            raise _not_connected()
        staff_id = _known(rt, session, shop, proof) or _add(rt, session, shop, proof, may_found=may_found)
        visitor = find_visitor(session, staff_id)
    if visitor is None:
        raise Refused("not_allowed", "An owner of the program has taken your access away. Ask them for it.")
    return visitor, shop


def finds_shop(rt: Runtime, platform: str, shop_ref: str, request: InstallRequest) -> bool:
    """Whether there is nothing to install: whoever asks is proven, and their shop is connected and lets us in.

    Raises: Refused, for a token that is none.
    """
    proof = get_frame(rt, platform).prove_staff(request, shop_ref, rt.app_of(platform), rt.now())
    if isinstance(proof, Page) or (found := _find(rt, platform, proof)) is None:
        return False
    with rt.db.begin(found.program_id) as session:
        shop = shops.get_shop(session, found.target_id)
    return is_framed(rt, shop) and shop.callable


def is_framed(rt: Runtime, shop: ShopRow) -> bool:
    """Whether the shop's people can open us there. A merchant's own app has secrets of its own, and cannot be."""
    connector = rt.connectors.get(shop.platform)
    framed = connector is not None and connector.frame is not None
    return framed and not shop.own_app and shop.state != "uninstalled"


def _find(rt: Runtime, platform: str, proof: StaffProof) -> Found | None:
    """Not from memory: who was uninstalled a second ago is let in no more."""
    with rt.db.outside() as connection:
        return directory.find(connection, Kind.SHOP_REF, f"{platform} {proof.shop_ref}", now=rt.now())


def _known(rt: Runtime, session: Session, shop: ShopRow, proof: StaffProof) -> int | None:
    row: Any = session.first(
        "SELECT id, last_seen_at FROM staff WHERE {fence} AND shop_id = :shop AND user_ref = :ref",
        shop=shop.shop_id,
        ref=proof.user_ref,
    )
    if row is None:
        return None
    now = rt.now()
    if row.last_seen_at is None or now - row.last_seen_at >= _SEEN_EVERY:
        session.run("UPDATE staff SET last_seen_at = :now WHERE {fence} AND id = :id", now=now, id=row.id)
    return int(row.id)


def _add(rt: Runtime, session: Session, shop: ShopRow, proof: StaffProof, *, may_found: bool) -> int:
    # Two who open it for the first time at once: one after the other, so that only one of them owns it.
    session.run("SELECT id FROM shops WHERE {fence} AND id = :id FOR UPDATE", id=shop.shop_id)
    known = _known(rt, session, shop, proof)
    if known is not None:
        return known
    role = Role.OWNER if may_found and _founds(session, shop) else shop.staff_role
    if role is None:
        raise Refused(
            "not_allowed",
            "This shop is one of several of a program, and its people are not let in by themselves. Ask an owner of "
            "the program: they can invite you, or let this shop’s people in, on the shop’s page.",
        )
    before = session.scalar("SELECT count(*) FROM staff WHERE {fence} AND shop_id = :shop", shop=shop.shop_id)
    return int(
        session.scalar(
            "INSERT INTO staff (program_id, shop_id, user_ref, name, role, invited_at, last_seen_at) "
            "VALUES (:program_id, :shop, :ref, :name, :role, :now, :now) RETURNING id",
            shop=shop.shop_id,
            ref=proof.user_ref,
            # Beside what they do for ever: a number of ours, never the platform's.
            name=f"{shop.name[:_LONGEST_SHOP_NAME]}, person {before + 1}",
            role=role.value,
            now=rt.now(),
        )
    )


def _founds(session: Session, shop: ShopRow) -> bool:
    """Whether whoever comes from this shop now begins the program: it has no owner, and this is its first shop."""
    row: Any = session.first(
        "SELECT (SELECT min(id) FROM shops WHERE {fence}) AS shop, (SELECT count(*) FROM staff "
        "WHERE {fence} AND role = 'owner' AND removed_at IS NULL) AS owners"
    )
    return bool(row.shop == shop.shop_id and row.owners == 0)


def _not_connected() -> Refused:
    return Refused(
        "shop_not_connected", "This shop is not connected. Open the app from the shop’s admin anew."
    )
