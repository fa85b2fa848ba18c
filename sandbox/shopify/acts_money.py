"""Money that an app gives: gift cards and store credit, and what shoppers spend of it."""

from datetime import date, datetime
from decimal import Decimal

from sandbox.refusals import CodeRefused, Impossible
from sandbox.shopify.acts_discounts import DiscountActs
from sandbox.shopify.state import Credit, Customer, GiftCard


class MoneyActs(DiscountActs):
    def create_gift_card(
        self, code: str, amount: Decimal | str, *, expires: date | None = None, note: str | None = None
    ) -> GiftCard:
        """Raises: Impossible for a code that a card has already, whatever its case."""
        with self.act():
            if self.gift_card_named(code) is not None:
                raise Impossible("Code has already been taken")
            worth = self.amount(amount)
            card = GiftCard(
                id=self.new_id(),
                code=code.lower(),
                initial=worth,
                balance=worth,
                created=self.now(),
                expires=expires,
                note=note,
            )
            self.gift_cards[card.id] = card
            return card

    def gift_card_named(self, code: str) -> GiftCard | None:
        return next((one for one in self.gift_cards.values() if one.code == code.strip().lower()), None)

    def spend_gift_card(self, code: str, amount: Decimal | str) -> None:
        """A checkout paid with it. Raises: CodeRefused with the words of the checkout."""
        with self.act():
            card = self.gift_card_named(code)
            if card is None or not card.enabled:
                raise CodeRefused("Enter a valid discount code or gift card")
            if card.expires is not None and card.expires < self.now().astimezone(self.zone).date():
                raise CodeRefused("This gift card has expired")
            if card.balance < self.amount(amount):
                raise CodeRefused("This gift card has no balance left for that")
            card.balance -= self.amount(amount)

    def credit(self, customer: Customer, amount: Decimal | str, *, expires: datetime | None = None) -> Credit:
        """Store credit, by an app or by staff; nothing says by whom."""
        with self.act():
            credit = Credit(
                id=self.new_id(),
                customer_id=customer.id,
                amount=self.amount(amount),
                created=self.now(),
                expires=expires,
            )
            self.credits.append(credit)
            return credit

    def credits_of(self, customer: Customer) -> list[Credit]:
        """Oldest first."""
        return [one for one in self.credits if one.customer_id == customer.id]
