"""Two days after a shop left, everybody known through it is forgotten; the ledger stays whole."""

from app.db import happenings, profiles, shops
from app.domain.errors import Refused
from app.services.erase_customer import erase_customer
from app.services.runtime import Runtime

BATCH = 200


def erase_shop(rt: Runtime, program_id: int, shop_id: int) -> int:
    """Forget every customer of the shop, guests too. Returns how many. Broken off, it goes on where it was.

    Raises: Refused("shop_is_back") if it was connected again meanwhile: its customers are customers again.
    """
    erased = 0
    while True:
        with rt.db.begin(program_id) as session:
            if shops.get_shop(session, shop_id).state != "uninstalled":
                raise Refused(
                    "shop_is_back", "The shop was connected again, so nobody was erased: look at it."
                )
            rows = session.rows(
                "SELECT customer_ref FROM identities WHERE {fence} AND shop_id = :shop "
                "AND customer_ref NOT LIKE 'erased:%' ORDER BY id LIMIT :limit",
                shop=shop_id,
                limit=BATCH,
            )
            for row in rows:
                erase_customer(session, rt.vault, shop_id, row.customer_ref, email=None, now=rt.now())
            erased += len(rows)
            if not rows:
                profiles.forget_all(session, shop_id)
                happenings.forget_shop(session, shop_id)
                session.run(
                    "UPDATE orders SET email_hash = NULL WHERE {fence} AND shop_id = :shop "
                    "AND email_hash IS NOT NULL",
                    shop=shop_id,
                )
                session.run(
                    "UPDATE inbox SET body = NULL, customer_ref = NULL WHERE {fence} AND shop_id = :shop "
                    "AND state <> 'new' AND body IS NOT NULL",
                    shop=shop_id,
                )
                # Its people too, as the platform knew them. What they did keeps the name that we gave them.
                session.run(
                    "UPDATE staff SET user_ref = NULL, removed_at = coalesce(removed_at, :now) "
                    "WHERE {fence} AND shop_id = :shop AND user_ref IS NOT NULL",
                    shop=shop_id,
                    now=rt.now(),
                )
                return erased
