"""What a shop's pages tell anybody about its program."""

from dataclasses import dataclass

from app.db import programs, shops
from app.domain.money import Money
from app.domain.program import Program
from app.domain.redeeming import in_shop_money
from app.domain.rewards import RewardKind
from app.domain.words import Words
from app.services.runtime import Runtime
from app.services.wording import earn_words, words_for


@dataclass(frozen=True, slots=True, kw_only=True)
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


def describe_shopfront(rt: Runtime, program_id: int, shop_id: int, language: str | None = "en") -> Shopfront:
    """Raises: Refused("unknown_shop")."""
    with rt.db.begin(program_id) as session:
        program = programs.load_versions(session)[program_id].live
        shop = shops.get_shop(session, shop_id)
    return shopfront_of(program, shop.name, shop.currency, language)


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
