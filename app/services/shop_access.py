"""Which shop a request is about, and its secrets."""

from app.db import directory, shops
from app.db.directory import Kind
from app.services.runtime import Runtime
from app.services.shop_memory import KnownShop


def shop_access(rt: Runtime, kind: Kind, key: str) -> KnownShop | None:
    """The shop that `key` names, with what checks its messages; None: no such shop."""
    return rt.shop_memory.get(kind, key, rt.now(), lambda: _load(rt, kind, key))


def _load(rt: Runtime, kind: Kind, key: str) -> KnownShop | None:
    with rt.db.outside() as connection:
        found = directory.find(connection, kind, key, now=rt.now())
    if found is None:
        return None
    with rt.db.begin(found.program_id) as session:
        row = shops.find_shops(session, [found.target_id]).get(found.target_id)
        if row is None:
            return None
        secrets = shops.get_secrets(session, rt.vault, row.shop_id)
    return KnownShop(
        program_id=row.program_id,
        shop_id=row.shop_id,
        key=row.key,
        platform=row.platform,
        shop_ref=row.shop_ref,
        url=row.url,
        state=row.state,
        own_app=row.own_app,
        webhook_secrets=secrets.webhook_secrets,
        widget_secret=secrets.widget_secret,
    )
