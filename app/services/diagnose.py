"""What is wrong with this installation, and what to do about each: for `laurel doctor`."""

from collections.abc import Iterator
from datetime import timedelta

from sqlalchemy import text

from app.db import pending_keys, shops
from app.db.sealing import CannotOpen
from app.db.session import Session
from app.db.shops import ShopRow
from app.services.check_health import Check, check_health, slices
from app.services.runtime import Runtime

LAG = timedelta(hours=1)
_CLOCKS = timedelta(seconds=5)


def diagnose(rt: Runtime) -> list[Check]:
    """Everything that was looked at; `problem` says what is wrong and what to do."""
    found = list(check_health(rt).checks)
    if any(check.name == "database" and check.problem for check in found):
        return found
    found.append(Check("clock", _clock(rt)))
    found.append(Check("keys", _keys(rt)))
    found += _queues(rt)
    for part in slices(rt):
        with rt.db.begin(*part) as session:
            for shop in shops.find_shops(session).values():
                found += _shop(rt, session, shop)
    return found


def _clock(rt: Runtime) -> str | None:
    with rt.db.outside() as connection:
        theirs = connection.execute(text("SELECT clock_timestamp()")).scalar_one()
    apart = abs(theirs - rt.now())
    if apart <= _CLOCKS:
        return None
    return (
        f"this machine and the database differ by {apart.total_seconds():.0f} s: set the time by NTP on both"
    )


def _keys(rt: Runtime) -> str | None:
    """Every shop's secrets open with the keys that are set."""
    with rt.db.outside() as connection:
        older = pending_keys.count_older_seals(connection, rt.vault, now=rt.now())
    for part in slices(rt):
        for program_id in part:
            with rt.db.begin(program_id) as session:
                for shop_id in shops.find_shops(session):
                    try:
                        shops.get_secrets(session, rt.vault, shop_id)
                    except CannotOpen as error:
                        return f"{error}: put the key that is missing back into LAUREL_KEYS"
                    older += shops.count_older_seals(session, rt.vault, shop_id)
    return f"{older} secrets are sealed under an older key: run `laurel keys rotate`" if older else None


def _queues(rt: Runtime) -> Iterator[Check]:
    failed = jobs = 0
    for part in slices(rt):
        with rt.db.begin(*part) as session:
            failed += session.scalar("SELECT count(*) FROM inbox WHERE {fence} AND state = 'failed'")
            jobs += session.scalar("SELECT count(*) FROM failed_jobs WHERE {fence}")
    yield Check(
        "deliveries", f"{failed} could not be understood: see the reasons in the admin" if failed else None
    )
    yield Check("jobs", f"{jobs} were given up in the last 30 days: see failed_jobs" if jobs else None)


def _shop(rt: Runtime, session: Session, shop: ShopRow) -> Iterator[Check]:
    name = f"shop {shop.key}"
    if shop.state != "connected":
        return
    if not shop.own_app and shop.platform not in rt.apps:
        yield Check(
            name, f"uses the installation's own app at {shop.platform}, whose key and secret are not set"
        )
    if shop.access_problem is not None:
        yield Check(name, f"lets us in no more ({shop.access_problem}): connect it again")
        return
    ill = [str(one.get("topic")) for one in shop.webhooks if not one.get("healthy")]
    if ill:
        yield Check(
            name, f"its webhooks {', '.join(ill)} do not reach us: `laurel reconcile --shop {shop.key}`"
        )
    if not shop.webhooks:
        yield Check(name, "its webhooks are not set up: is `laurel worker` running?")
    last = shop.reconciled_until
    if last is None or rt.now() - last > LAG:
        since = f"since {last:%Y-%m-%d %H:%M} UTC" if last else "yet"
        yield Check(name, f"was not compared {since}: is `laurel worker` running?")
    if shop.webhooks and not ill and last is not None and rt.now() - last <= LAG:
        yield Check(name, None)
