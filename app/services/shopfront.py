"""What a shop's pages tell anybody about its program, and the memory of it: it is told with every panel."""

from dataclasses import dataclass

from app.domain.money import Money
from app.domain.program import Program
from app.domain.redeeming import in_shop_money
from app.domain.rewards import RewardKind
from app.domain.words import Words
from app.services.wording import earn_words, words_for


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Shopfront:
    program: Program
    shop_name: str
    currency: str  # the shop's; the program's own where it has no rate for it yet
    earn_sentence: str
    words: Words

    def worth(self, points: int, tier_key: str) -> Money | None:
        """The most that so many points can be had off at this shop; None: nothing has a fixed amount there."""
        rank = self.program.rank(tier_key)
        best = 0
        for reward in self.program.rewards:
            open_to = reward.tier is None or rank >= self.program.rank(reward.tier)
            if reward.kind is not RewardKind.AMOUNT or not open_to:
                continue
            # One in steps is had once, for all points; of the others each is rounded on its own.
            once, times = (
                (reward.worth_of(points), 1)
                if reward.steps
                else (reward.amount_minor, max(points, 0) // reward.cost)
            )
            amount = in_shop_money(once, self.program, self.currency)
            best = max(best, times * amount.minor if amount else 0)
        return Money(best, self.currency) if best else None


def shopfront_of(
    program: Program, shop_name: str, shop_currency: str, language: str | None = "en"
) -> Shopfront:
    rate, words = program.rate_for(shop_currency), words_for(program, language)
    return Shopfront(
        program=program,
        shop_name=shop_name,
        currency=shop_currency if rate else program.currency,
        earn_sentence=earn_words(rate or program.rate, shop_currency if rate else program.currency, words),
        words=words,
    )


class FrontMemory:
    """Each shop's front as last told, by language; made anew when the shop's name, its money or the program changed."""

    def __init__(self) -> None:
        self._told: dict[tuple[int, str | None], tuple[str, str, Shopfront]] = {}

    def get(
        self, shop_id: int, program: Program, shop_name: str, shop_currency: str, language: str | None
    ) -> Shopfront:
        """As `shopfront_of`; of the same program object and the same words the same front object."""
        told = self._told.get((shop_id, language))
        if told is not None and told[:2] == (shop_name, shop_currency) and told[2].program is program:
            return told[2]
        front = shopfront_of(program, shop_name, shop_currency, language)
        self._told[shop_id, language] = (shop_name, shop_currency, front)
        return front
