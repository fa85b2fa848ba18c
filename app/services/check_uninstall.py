"""Did the shop really leave? A message that says so may be late, and the shop back again: its own answer counts."""

import structlog

from app.domain.errors import AccessLost, Refused
from app.services.runtime import Runtime
from app.services.shop_client import open_shop
from app.services.uninstall_shop import disconnect

log = structlog.get_logger()


def check_uninstall(rt: Runtime, program_id: int, shop_id: int) -> bool:
    """Disconnect the shop if it lets us in no more. Returns whether it did. Raises: Retryable, Refused."""
    try:
        with open_shop(rt, program_id, shop_id) as client:
            client.shop_facts()
    except AccessLost:
        pass
    except Refused as refused:
        if refused.code != "not_callable":
            raise
    else:
        log.info("uninstall_not_believed", shop_id=shop_id)
        return False
    with rt.db.begin(program_id) as session:
        return disconnect(session, shop_id, now=rt.now())
