"""Can a shop make a reward exactly as the program has it?"""

from datetime import UTC, datetime

from app.db.shops import ShopRow
from app.domain.program import Program
from app.domain.redeeming import in_shop_money
from app.domain.rewards import Reward, RewardKind
from app.services.runtime import Runtime
from connectors.base import CodeKind, CodeSpec

_ANY_DAY = datetime(2000, 1, 1, tzinfo=UTC)


def why_not(rt: Runtime, program: Program, reward: Reward, shop: ShopRow) -> str | None:
    """Why not, in its platform's sentence for the merchant; None: it can, or is not asked to.

    The same answer before the reward is published, when it is listed and when it is bought: a shop may have been
    connected since, or have taken back what it had allowed. Nobody is called: what it allows is what it said last.
    Raises: Refused("no_rate").
    """
    if reward.kind is RewardKind.PERK or not reward.is_offered_at(shop.key):
        return None

    # Customer, dates and texts make no difference to what a platform can do.
    example = CodeSpec(
        code="EXAMPLE",
        kind=CodeKind(reward.kind.value),
        amount=in_shop_money(reward.amount_for(reward.cost), program, shop.currency),
        percent=reward.percent,
        maximum=in_shop_money(reward.maximum_minor, program, shop.currency),
        gift=reward.gifts.get(shop.key) if reward.gifts else None,
        combines=frozenset(reward.combines),
        minimum_spend=in_shop_money(reward.minimum_spend_minor, program, shop.currency),
        customer_ref="1",
        starts_at=_ANY_DAY,
        expires_at=_ANY_DAY,
        tag="laurel",
        title="Example",
    )
    return rt.connectors[shop.platform].why_not(example) or shop.withheld.get(reward.kind.value)
