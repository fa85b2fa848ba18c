"""A reconciliation under way: what it is about, what it has looked at, what it repaired. Each kind has its module."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from app.db import programs, reconciliations, rereads, shops
from app.db.reconciliations import Repair
from app.db.session import Session
from app.db.shops import ShopRow
from app.domain.errors import Refused
from app.services.explain_orders import differences, explain_orders
from app.services.note_drift import read_for_good
from app.services.read_at_shop import ReadOrder, read_at_shop
from app.services.runtime import Runtime

_READ_AT_ONCE = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a long run is. `total` None: nobody knows yet."""

    kind: str
    looked_at: int
    total: int | None
    repairs: int


Watch = Callable[[Progress], None]


@dataclass(slots=True, kw_only=True)
class Run:
    rt: Runtime
    program_id: int
    shop: ShopRow  # as it was when the run began
    run_id: int
    kind: str
    started_at: datetime
    since: datetime
    until: datetime
    everything: bool = False
    cursor: str | None = None  # where to go on, should it be put off; None: at the beginning
    watch: Watch | None = None
    total: int | None = None
    looked_at: int = 0
    repairs: list[Repair] = field(default_factory=list)

    @property
    def shop_id(self) -> int:
        return self.shop.shop_id

    def lock(self, session: Session) -> ShopRow:
        """The settling lock, and the shop as it is now. Raises: Refused if it was disconnected meanwhile."""
        programs.lock_settling(session)
        shop = shops.get_shop(session, self.shop_id)
        if shop.state == "uninstalled":
            raise Refused("not_callable", "The shop was disconnected meanwhile: its orders are frozen.")
        return shop

    def look(self, session: Session, count: int) -> None:
        reconciliations.note_looked(session, self.run_id, count)
        self.looked_at += count
        if self.watch is not None:
            self.watch(
                Progress(
                    kind=self.kind, looked_at=self.looked_at, total=self.total, repairs=len(self.repairs)
                )
            )

    def go_on_with(self, cursor: str | None) -> None:
        """All before the cursor is done: should this process die, the next one begins there."""
        self.cursor = cursor
        with self.rt.db.begin(self.program_id) as session:
            reconciliations.note_place(session, self.run_id, cursor)

    def repaired(self, session: Session, repairs: Sequence[Repair]) -> None:
        reconciliations.add_repairs(session, self.run_id, repairs, now=self.rt.now())
        self.repairs += repairs

    def read(self, order_refs: Sequence[str]) -> None:
        """Read these orders at the shop and settle them, each difference a repair with its cause."""
        for start in range(0, len(order_refs), _READ_AT_ONCE):
            part = order_refs[start : start + _READ_AT_ONCE]
            with self.rt.db.begin(self.program_id) as session:
                claims = rereads.claim(session, self.shop_id, part)
                rereads.note_found(session, self.shop_id, part, self.run_id)
            read_at_shop(self.rt, self.program_id, self.shop_id, claims, note=self._note)

    def _note(self, session: Session, shop: ShopRow, read: Sequence[ReadOrder]) -> None:
        rereads.take_found(session, self.shop_id, read_for_good(read))
        self.repaired(session, explain_orders(self.rt, session, shop, differences(read), now=self.rt.now()))
