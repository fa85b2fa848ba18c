"""Who buys where: from each person's number and one seed, the same people each time."""

from dataclasses import dataclass, field
from enum import StrEnum
from random import Random
from typing import Any

_FIRST = "Ada Ben Cleo Dario Edda Finn Greta Hugo Ines Jonas Kira Leo Mara Noor Otis Pia Quinn Rosa Sami Tess".split()
_LAST = (
    "Ahlberg Brandt Costa Dupont Eide Farkas Gruber Holm Iversen Jansen Kowal Lindqvist Moreau Novak".split()
)


class Habit(StrEnum):
    WOO = "woocommerce"
    SHOPIFY = "shopify"
    BOTH = "both"  # one person, one address, an account in each shop
    HALF = "half"  # an account at Shopify; at WooCommerce a guest with the same address
    GUEST = "guest"  # never an account


_SHARES = {Habit.WOO: 40, Habit.SHOPIFY: 32, Habit.BOTH: 12, Habit.HALF: 6, Habit.GUEST: 10}


@dataclass(slots=True)
class Person:
    number: int
    habit: Habit
    first_name: str
    last_name: str
    random: Random  # this person's own chances
    accounts: dict[str, Any] = field(default_factory=dict)  # platform -> the shop's customer

    @property
    def email(self) -> str:
        return f"{self.first_name}.{self.last_name}.{self.number}@example.test".lower()

    def pick_platform(self) -> str:
        match self.habit:
            case Habit.WOO | Habit.SHOPIFY:
                return self.habit.value
            case Habit.BOTH | Habit.HALF | Habit.GUEST:
                return self.random.choice(("woocommerce", "shopify"))

    def has_account(self, platform: str) -> bool:
        match self.habit:
            case Habit.GUEST:
                return False
            case Habit.HALF:
                return platform == "shopify"
            case Habit.WOO | Habit.SHOPIFY | Habit.BOTH:
                return True


def make_person(number: int, seed: int) -> Person:
    random = Random(f"{seed} person {number}")  # noqa: S311 - chance, no secret
    return Person(
        number=number,
        habit=random.choices(list(_SHARES), list(_SHARES.values()))[0],
        first_name=random.choice(_FIRST),
        last_name=random.choice(_LAST),
        random=random,
    )
