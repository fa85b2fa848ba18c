"""GraphQL fields and mutations of gift cards and store credit, with the rules that the real server keeps."""

import re
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from graphql import GraphQLError

from sandbox.shopify.money import money
from sandbox.shopify.paging import connection, terms_of
from sandbox.shopify.shop import Shop
from sandbox.shopify.state import Credit, Customer, GiftCard, gid
from sandbox.shopify.typed import Fields, iso

_CODE = re.compile(r"[A-Za-z0-9]+")
_LARGEST = Decimal(2000)  # in dollars; the real limit goes by the shop's country

GIFT_CARD: Fields = {
    "id": lambda _, card, __: gid("GiftCard", card.id),
    "enabled": lambda _, card, __: card.enabled,
    "deactivatedAt": lambda _, card, __: iso(card.deactivated),
    "note": lambda _, card, __: card.note,
    "expiresOn": lambda _, card, __: card.expires.isoformat() if card.expires else None,
    "createdAt": lambda _, card, __: iso(card.created),
    "lastCharacters": lambda _, card, __: card.code[-4:],
    "maskedCode": lambda _, card, __: f"•••• •••• •••• {card.code[-4:]}",
    "initialValue": lambda shop, card, __: money(card.initial, shop.currency),
    "balance": lambda shop, card, __: money(card.balance, shop.currency),
    "customer": lambda _, __, ___: None,
}

CREDIT: Fields = {
    "id": lambda _, credit, __: gid("StoreCreditAccountCreditTransaction", credit.id),
    "createdAt": lambda _, credit, __: iso(credit.created),
    "expiresAt": lambda _, credit, __: iso(credit.expires),
    "event": lambda _, __, ___: "ADJUSTMENT",
    "amount": lambda shop, credit, __: money(credit.amount, shop.currency),
    "balanceAfterTransaction": lambda shop, credit, __: money(_balance(shop, credit), shop.currency),
    "account": lambda shop, credit, __: {
        "id": gid("StoreCreditAccount", credit.customer_id),
        "balance": money(_balance(shop, credit), shop.currency),
    },
}


def _balance(shop: Shop, credit: Credit) -> Decimal:
    """Of the customer's account once this was given; nobody spends of it here."""
    return sum(
        (one.amount for one in shop.credits if one.customer_id == credit.customer_id and one.id <= credit.id),
        Decimal(0),
    )


def find_gift_cards(shop: Shop, args: dict[str, Any]) -> dict[str, Any]:
    """A bare word is looked for in codes. Cards are found a while after they were made: a search lags."""
    words = terms_of(args.get("query"))
    if any(term.name for term in words):
        raise GraphQLError("The stand-in searches gift cards by their code alone.")
    rows = [
        card
        for card in shop.gift_cards.values()
        if card.created + shop.search_lag <= shop.clock()
        and all(term.value.lower() == card.code for term in words)
    ]
    return connection(rows, args)


def create_gift_card(shop: Shop, asked: dict[str, Any]) -> dict[str, Any]:
    error = _wrong_card(shop, asked)
    if error is not None:
        return {"giftCard": None, "giftCardCode": None, "userErrors": [error]}
    expires = asked.get("expiresOn")
    card = shop.create_gift_card(
        asked["code"],
        asked["initialAmount"]["amount"],
        expires=date.fromisoformat(expires) if expires else None,
        note=asked.get("note"),
    )
    return {"giftCard": card, "giftCardCode": card.code, "userErrors": []}


def deactivate_gift_card(shop: Shop, identity: str) -> dict[str, Any]:
    card = gift_card_by_gid(shop, identity)
    if card is None:
        return {
            "giftCard": None,
            "userErrors": [_error(["id"], "The gift card could not be found.", "GIFT_CARD_NOT_FOUND")],
        }
    if card.enabled:
        card.deactivated = shop.now()
    return {"giftCard": card, "userErrors": []}


def gift_card_by_gid(shop: Shop, identity: str) -> GiftCard | None:
    kind, _, number = identity.removeprefix("gid://shopify/").partition("/")
    return shop.gift_cards.get(int(number)) if kind == "GiftCard" and number.isdigit() else None


def credit_accounts(shop: Shop, customer: Customer, args: dict[str, Any]) -> dict[str, Any]:
    """One account a currency; here the shop's own."""
    rows = [{"customer": customer}] if shop.credits_of(customer) else []
    return connection(rows, args)


def transactions(shop: Shop, source: dict[str, Any], args: dict[str, Any]) -> dict[str, Any]:
    for term in terms_of(args.get("query")):
        if (term.name, term.value) != ("type", "credit"):
            raise GraphQLError("The stand-in keeps credits alone.")
    return connection(shop.credits_of(source["customer"]), args)


def credit(shop: Shop, identity: str, asked: dict[str, Any]) -> dict[str, Any]:
    kind, _, number = identity.removeprefix("gid://shopify/").partition("/")
    customer = shop.customers.get(int(number)) if kind == "Customer" and number.isdigit() else None
    wanted, expires = asked["creditAmount"], asked.get("expiresAt")
    ends = datetime.fromisoformat(expires).astimezone(UTC) if expires else None
    error = None
    if customer is None:
        error = _error(["id"], "Owner does not exist", "OWNER_NOT_FOUND")
    elif wanted["currencyCode"] != shop.currency:
        error = _error(
            ["creditInput", "creditAmount", "currencyCode"],
            "Currency is not supported",
            "UNSUPPORTED_CURRENCY",
        )
    elif Decimal(wanted["amount"]) <= 0:
        error = _error(
            ["creditInput", "creditAmount", "amount"], "Must be positive", "NEGATIVE_OR_ZERO_AMOUNT"
        )
    elif ends is not None and ends <= shop.now():
        error = _error(["creditInput", "expiresAt"], "Must be in the future", "EXPIRES_AT_IN_PAST")
    if customer is None or error is not None:
        return {"storeCreditAccountTransaction": None, "userErrors": [error]}
    made = shop.credit(customer, wanted["amount"], expires=ends)
    return {"storeCreditAccountTransaction": made, "userErrors": []}


def _wrong_card(shop: Shop, asked: dict[str, Any]) -> dict[str, Any] | None:
    code, amount = asked.get("code") or "", asked.get("initialAmount") or {}
    if not amount:
        return _error(["input", "initialAmount"], "Initial amount is missing", "MISSING_ARGUMENT")
    if len(code) < 8:
        return _error(["input", "code"], "Code is too short (minimum is 8 characters)", "TOO_SHORT")
    if len(code) > 20:
        return _error(["input", "code"], "Code is too long (maximum is 20 characters)", "TOO_LONG")
    if not _CODE.fullmatch(code):
        return _error(["input", "code"], "Code can only contain letters(a-z) and numbers(0-9)", "INVALID")
    if shop.gift_card_named(code) is not None:
        return _error(["input", "code"], "Code has already been taken", "TAKEN")
    if Decimal(amount["amount"]) <= 0:
        return _error(["input", "initialAmount"], "Initial value must be greater than 0", "GREATER_THAN")
    if Decimal(amount["amount"]) > _LARGEST:
        return _error(["input", "initialAmount"], "Initial value is too high", "GIFT_CARD_LIMIT_EXCEEDED")
    return None


def _error(field: list[str], message: str, code: str) -> dict[str, Any]:
    return {"field": field, "message": message, "code": code}
