"""The job that reads marked orders at their shop, many in one call, until each mark has been answered once."""

from dataclasses import dataclass, field
from functools import partial

from app.db import jobs, rereads, shops
from app.services.note_drift import note_drift
from app.services.read_at_shop import Ending, read_at_shop
from app.services.runtime import Runtime
from app.services.shop_client import why_not_callable

PAGE = 20


@dataclass(slots=True)
class Reread:
    """How many readings ended how. `waits`: why nothing is read now; the marks stay."""

    endings: dict[Ending, int] = field(default_factory=dict)
    moved: int = 0
    waits: str | None = None

    @property
    def total(self) -> int:
        return sum(self.endings.values())


def reread_orders(rt: Runtime, program_id: int, shop_id: int) -> Reread:
    """Read every marked order of the shop once. What is marked meanwhile is left to the next job, put in here.

    A shop that may not be called keeps its marks. Raises: AccessLost, Retryable, Refused; the marks stay.
    """
    done = Reread()
    with rt.db.begin(program_id) as session:
        done.waits = why_not_callable(shops.get_shop(session, shop_id))
    if done.waits is not None:
        return done
    after = ""
    while True:
        with rt.db.begin(program_id) as session:
            claims, after = rereads.claim_marked(session, shop_id, after=after, limit=PAGE, now=rt.now())
        if not claims:
            break
        for read in read_at_shop(rt, program_id, shop_id, claims, note=partial(note_drift, rt)):
            done.endings[read.ending] = done.endings.get(read.ending, 0) + 1
            done.moved += read.moved
    with rt.db.begin(program_id) as session:
        if rereads.is_marked(session, shop_id, now=rt.now()):
            jobs.enqueue(session, "reread_orders", program_id=program_id, shop_id=shop_id)
    return done
