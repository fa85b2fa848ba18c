"""Shoppers who turn points into codes: used, cancelled, forgotten, used for an order that is cancelled then."""

from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from random import Random

from app.domain.errors import Refused
from app.services.cancel_redemption import cancel_redemption
from app.services.redeem import RedeemRequest, redeem
from sandbox.demo.agenda import Agenda
from sandbox.demo.books import held_codes, who_can_redeem
from sandbox.demo.lives import Lives, Placed
from sandbox.demo.world import Stand, World
from sandbox.refusals import CodeRefused

_REWARDS = (("amount-5", 100), ("free-shipping", 150), ("percent-10", 200))
_PATIENCE = 20  # times that a shopper looks for the code
_FATES = ("used", "used", "used, order cancelled", "cancelled", "cancelled at once", "forgotten")


@dataclass(frozen=True, slots=True)
class _Bought:
    stand: Stand
    customer_ref: str
    redemption_id: int


class Redeemers:
    def __init__(self, world: World, agenda: Agenda, lives: Lives, seed: int) -> None:
        self._world = world
        self._agenda = agenda
        self._lives = lives
        self._random = Random(f"{seed} redeemers")  # noqa: S311 - chance, no secret
        self._fates = 0
        self.wishes: Counter[str] = Counter()

    def somebody_redeems(self) -> None:
        """Whoever has points enough, by chance; nobody may have."""
        rt, program_id = self._world.rt, self._world.program_id
        key, cost = self._random.choice(_REWARDS)
        able = who_can_redeem(rt, program_id, cost)
        if not able:
            return
        member_id, shop_id, customer_ref = self._random.choice(able)
        stand = next(one for one in self._world.stands if one.shop.shop_id == shop_id)
        if int(customer_ref) not in stand.store.customers:
            return
        self._fates += 1
        request = RedeemRequest(
            program_id=program_id,
            member_id=member_id,
            shop_id=shop_id,
            reward_key=key,
            request_key=f"demo-{self._fates}",
            actor="shopper",
            customer_ref=customer_ref,
        )
        try:
            row = redeem(rt, request)
            again = redeem(rt, request)  # a double click is one redemption
        except Refused as refused:
            self.wishes[refused.code] += 1
            return
        assert again.redemption_id == row.redemption_id
        bought = _Bought(stand, customer_ref, row.redemption_id)
        fate = _FATES[self._fates % len(_FATES)]
        self.wishes[fate] += 1
        match fate:
            case "cancelled at once":
                self._cancel(bought)
            case "cancelled":
                self._agenda.after(timedelta(hours=30), lambda: self._cancel(bought))
            case "forgotten":
                pass
            case _:
                self._agenda.after(
                    timedelta(hours=20), lambda: self._use(bought, 1, then_cancel="order" in fate)
                )

    def _cancel(self, bought: _Bought) -> None:
        try:
            cancel_redemption(self._world.rt, self._world.program_id, bought.redemption_id)
        except Refused as refused:
            self.wishes[f"not cancelled: {refused.code}"] += 1

    def _use(self, bought: _Bought, attempt: int, *, then_cancel: bool) -> None:
        codes = held_codes(self._world.rt, self._world.program_id)
        code = next(one for one in codes if one.redemption_id == bought.redemption_id)
        customer = bought.stand.store.customers.get(int(bought.customer_ref))
        if code.state == "requested" and attempt < _PATIENCE:  # the shop does not answer: look again later
            self._agenda.after(
                timedelta(hours=10), lambda: self._use(bought, attempt + 1, then_cancel=then_cancel)
            )
            return
        if code.state != "issued" or customer is None:
            self.wishes[f"came to nothing: {code.state}"] += 1
            return
        try:
            placed = self._lives.buy_with_code(customer, bought.stand, code.code)
        except CodeRefused:
            self.wishes["refused at the checkout"] += 1
            return
        if then_cancel:
            self._agenda.after(timedelta(hours=8), lambda: self._call_off(placed))

    def _call_off(self, placed: Placed) -> None:
        placed.stand.store.cancel(placed.order)
