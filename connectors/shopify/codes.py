"""Discount codes, gift cards and store credit in Shopify's words: what to ask for, and is it what came. No calls."""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec
from msgspec import Struct

from app.domain.errors import Refused
from app.domain.money import Money
from app.domain.rewards import Combines, Gift
from connectors.base import CodeKind, CodeSpec, FoundCode
from connectors.shopify.mapping import ref
from connectors.shopify.payloads import ApiMoney, ApiNode, ApiPage, Moment

_FIELDS = """
  __typename
  ... on DiscountCodeBasic {
    title status startsAt endsAt usageLimit appliesOncePerCustomer asyncUsageCount tags
    codes(first: 1) { nodes { code } }
    combinesWith { orderDiscounts productDiscounts shippingDiscounts }
    context { __typename ... on DiscountCustomers { customers { id } } }
    minimumRequirement {
      __typename ... on DiscountMinimumSubtotal { greaterThanOrEqualToSubtotal { amount currencyCode } }
    }
    customerGets {
      items { __typename }
      value {
        __typename
        ... on DiscountAmount { amount { amount currencyCode } appliesOnEachItem }
        ... on DiscountPercentage { percentage }
      }
    }
  }
  ... on DiscountCodeFreeShipping {
    title status startsAt endsAt usageLimit appliesOncePerCustomer asyncUsageCount tags
    codes(first: 1) { nodes { code } }
    combinesWith { orderDiscounts productDiscounts shippingDiscounts }
    context { __typename ... on DiscountCustomers { customers { id } } }
    minimumRequirement {
      __typename ... on DiscountMinimumSubtotal { greaterThanOrEqualToSubtotal { amount currencyCode } }
    }
    destinationSelection { __typename }
    maximumShippingPrice { amount currencyCode }
  }
  ... on DiscountCodeApp { title status endsAt usageLimit asyncUsageCount tags codes(first: 1) { nodes { code } } }
"""

# What a listing asks of these: the whole of them names products, which an app may not be allowed to read.
_GIFT_LISTED = """
  ... on DiscountCodeBxgy { title status endsAt usageLimit asyncUsageCount tags codes(first: 1) { nodes { code } } }
"""
_GIFT = """
  ... on DiscountCodeBxgy {
    title status startsAt endsAt usageLimit usesPerOrderLimit appliesOncePerCustomer asyncUsageCount tags
    codes(first: 1) { nodes { code } }
    combinesWith { orderDiscounts productDiscounts shippingDiscounts }
    context { __typename ... on DiscountCustomers { customers { id } } }
    customerBuys {
      items { __typename ... on DiscountCollections { collections(first: 2) { nodes { id } } } }
      value {
        __typename
        ... on DiscountPurchaseAmount { amount }
        ... on DiscountQuantity { quantity }
      }
    }
    customerGets {
      items {
        __typename
        ... on DiscountProducts { products(first: 2) { nodes { id } } productVariants(first: 2) { nodes { id } } }
      }
      value {
        __typename
        ... on DiscountOnQuantity {
          quantity { quantity }
          effect { __typename ... on DiscountPercentage { percentage } }
        }
      }
    }
  }
"""

FIND = f"""
query FindCode($code: String!) {{
  codeDiscountNodeByCode(code: $code) {{ id codeDiscount {{ {_FIELDS} {_GIFT} }} }}
}}"""

# A discount of any kind has a node of its own here; the alias gives it the shape of the others.
OURS = f"""
query OurCodes($query: String!, $after: String) {{
  discountNodes(first: 50, query: $query, after: $after, sortKey: ID) {{
    pageInfo {{ hasNextPage endCursor }}
    nodes {{ id codeDiscount: discount {{ {_FIELDS} {_GIFT_LISTED} }} }}
  }}
}}"""

CREATE_BASIC = f"""
mutation CreateCode($input: DiscountCodeBasicInput!) {{
  made: discountCodeBasicCreate(basicCodeDiscount: $input) {{
    codeDiscountNode {{ id codeDiscount {{ {_FIELDS} }} }}
    userErrors {{ field code message }}
  }}
}}"""

CREATE_FREE_SHIPPING = f"""
mutation CreateFreeShippingCode($input: DiscountCodeFreeShippingInput!) {{
  made: discountCodeFreeShippingCreate(freeShippingCodeDiscount: $input) {{
    codeDiscountNode {{ id codeDiscount {{ {_FIELDS} }} }}
    userErrors {{ field code message }}
  }}
}}"""

CREATE_GIFT = f"""
mutation CreateGiftCode($input: DiscountCodeBxgyInput!) {{
  made: discountCodeBxgyCreate(bxgyCodeDiscount: $input) {{
    codeDiscountNode {{ id codeDiscount {{ {_FIELDS} {_GIFT} }} }}
    userErrors {{ field code message }}
  }}
}}"""

DEACTIVATE = """
mutation WithdrawCode($id: ID!) {
  made: discountCodeDeactivate(id: $id) { codeDiscountNode { id } userErrors { field code message } }
}"""

_CARD = """
  id enabled note expiresOn initialValue { amount currencyCode } balance { amount currencyCode }"""

FIND_CARDS = (
    f"query FindCards($query: String!) {{ giftCards(first: 10, query: $query) {{ nodes {{ {_CARD} }} }} }}"
)
READ_CARD = f"query ReadCard($id: ID!) {{ giftCard(id: $id) {{ {_CARD} }} }}"
CREATE_CARD = f"""
mutation CreateCard($input: GiftCardCreateInput!) {{
  made: giftCardCreate(input: $input) {{ giftCard {{ {_CARD} }} userErrors {{ field code message }} }}
}}"""
DEACTIVATE_CARD = f"""
mutation DeactivateCard($id: ID!) {{
  made: giftCardDeactivate(id: $id) {{ giftCard {{ {_CARD} }} userErrors {{ field code message }} }}
}}"""

CREDITS_READ = 100
FIND_CREDITS = f"""
query FindCredits($id: ID!) {{
  customer(id: $id) {{
    storeCreditAccounts(first: 10) {{
      nodes {{
        transactions(first: {CREDITS_READ}, reverse: true, query: "type:credit") {{
          nodes {{
            __typename
            ... on StoreCreditAccountCreditTransaction {{ id createdAt expiresAt amount {{ amount currencyCode }} }}
          }}
        }}
      }}
    }}
  }}
}}"""
CREDIT = """
mutation Credit($id: ID!, $input: StoreCreditAccountCreditInput!) {
  made: storeCreditAccountCredit(id: $id, creditInput: $input) {
    storeCreditAccountTransaction {
      __typename ... on StoreCreditAccountCreditTransaction { id createdAt expiresAt amount { amount currencyCode } }
    }
    userErrors { field code message }
  }
}"""

OPERATIONS = (
    *(FIND, OURS, CREATE_BASIC, CREATE_FREE_SHIPPING, CREATE_GIFT, DEACTIVATE),
    *(FIND_CARDS, READ_CARD, CREATE_CARD, DEACTIVATE_CARD, FIND_CREDITS, CREDIT),
)


class UserError(Struct, frozen=True):
    """Shopify's refusal of a mutation that it understood."""

    message: str
    field: tuple[str, ...] | None = None
    code: str | None = None


class Typed(Struct, frozen=True):
    typename: str = msgspec.field(name="__typename")


class Customers(Struct, frozen=True, kw_only=True):
    typename: str = msgspec.field(name="__typename")
    customers: tuple[ApiNode, ...] = ()


class Minimum(Struct, frozen=True, kw_only=True, rename="camel"):
    greater_than_or_equal_to_subtotal: ApiMoney | None = None


class Effect(Struct, frozen=True):
    percentage: Decimal | None = None


class Pieces(Struct, frozen=True):
    quantity: str


class Value(Struct, frozen=True, kw_only=True, rename="camel"):
    amount: ApiMoney | None = None
    applies_on_each_item: bool = False
    percentage: Decimal | None = None
    quantity: Pieces | None = None
    effect: Effect | None = None


class Ids(Struct, frozen=True):
    nodes: tuple[ApiNode, ...] = ()


class Items(Struct, frozen=True, kw_only=True, rename="camel"):
    typename: str = msgspec.field(name="__typename")
    products: Ids = Ids()
    product_variants: Ids = Ids()
    collections: Ids = Ids()


class Gets(Struct, frozen=True):
    items: Items
    value: Value


class Asked(Struct, frozen=True):
    """What must be bought: for so much, or so many pieces."""

    amount: str | None = None
    quantity: str | None = None


class Buys(Struct, frozen=True):
    items: Items
    value: Asked


class CombinesWith(Struct, frozen=True, rename="camel"):
    order_discounts: bool
    product_discounts: bool
    shipping_discounts: bool


class CodeText(Struct, frozen=True):
    code: str


class CodeTexts(Struct, frozen=True):
    nodes: tuple[CodeText, ...]


class Discount(Struct, frozen=True, kw_only=True, rename="camel"):
    typename: str = msgspec.field(name="__typename")
    title: str = ""
    status: str = ""
    starts_at: Moment | None = None
    ends_at: Moment | None = None
    usage_limit: int | None = None
    uses_per_order_limit: int | None = None
    applies_once_per_customer: bool = False
    async_usage_count: int = 0
    tags: tuple[str, ...] = ()
    codes: CodeTexts = CodeTexts(())
    combines_with: CombinesWith | None = None
    context: Customers | None = None
    minimum_requirement: Minimum | None = None
    customer_gets: Gets | None = None
    customer_buys: Buys | None = None
    destination_selection: Typed | None = None
    maximum_shipping_price: ApiMoney | None = None


class CodeNode(Struct, frozen=True, rename="camel"):
    id: str
    code_discount: Discount


class Found(Struct, frozen=True):
    node: CodeNode | None = msgspec.field(name="codeDiscountNodeByCode")


class CodePage(Struct, frozen=True, rename="camel"):
    page_info: ApiPage
    nodes: tuple[CodeNode, ...]


class OurCodes(Struct, frozen=True):
    page: CodePage = msgspec.field(name="discountNodes")


class Made(Struct, frozen=True, kw_only=True, rename="camel"):
    code_discount_node: Any = None
    gift_card: Any = None
    store_credit_account_transaction: Any = None
    user_errors: tuple[UserError, ...]


class MadeAnswer(Struct, frozen=True):
    made: Made | None


# --- What can be asked for ---------------------------------------------------------------------------------


def why_not(spec: CodeSpec) -> str | None:
    """As `Connector.why_not` says."""
    match spec:
        case CodeSpec(kind=CodeKind.PERCENT, maximum=Money()):
            return (
                "Shopify’s percentage codes have no maximum. Leave the maximum out, or offer a fixed amount."
            )
        case CodeSpec(kind=CodeKind.FREE_SHIPPING) if Combines.SHIPPING in spec.combines:
            return "An order at Shopify has one shipping discount: free shipping combines with order and product alone."
        case CodeSpec(kind=CodeKind.PRODUCT, gift=Gift(collection_ref=None)):
            return (
                "Shopify gives a product only to somebody who buys another: name with_collection, of which "
                "one piece (or the minimum spend) must be bought."
            )
        case CodeSpec(kind=CodeKind.GIFT_CARD | CodeKind.STORE_CREDIT, minimum_spend=Money()):
            return "Gift cards and store credit are money at Shopify: they can ask for no minimum spend."
        case _:
            return None


def create_operation(spec: CodeSpec) -> str:
    return {CodeKind.FREE_SHIPPING: CREATE_FREE_SHIPPING, CodeKind.PRODUCT: CREATE_GIFT}.get(
        spec.kind, CREATE_BASIC
    )


def body(spec: CodeSpec) -> Mapping[str, Any]:
    """The input of `create_operation(spec)`: one use, one customer, beside other discounts only as it says.

    Raises: Refused("unsupported").
    """
    if why := why_not(spec):
        raise Refused("unsupported", why)
    common: dict[str, Any] = {
        "title": spec.title,
        "code": spec.code,
        "startsAt": _moment(spec.starts_at),
        "endsAt": _moment(spec.expires_at),
        "usageLimit": 1,
        "appliesOncePerCustomer": True,
        "context": {"customers": {"add": [f"gid://shopify/Customer/{spec.customer_ref}"]}},
        "combinesWith": {
            "orderDiscounts": Combines.ORDER in spec.combines,
            "productDiscounts": Combines.PRODUCT in spec.combines,
            "shippingDiscounts": Combines.SHIPPING in spec.combines,
        },
        "tags": [spec.tag],
    }
    if spec.kind is CodeKind.PRODUCT:
        return {**common, **_gift(spec)}
    if spec.minimum_spend:
        common["minimumRequirement"] = {"subtotal": {"greaterThanOrEqualToSubtotal": str(spec.minimum_spend)}}
    match spec:
        case CodeSpec(kind=CodeKind.FREE_SHIPPING):
            return {**common, "destination": {"all": True}}
        case CodeSpec(kind=CodeKind.AMOUNT, amount=Money() as amount) if amount.minor > 0:
            value: Mapping[str, Any] = {"discountAmount": {"amount": str(amount), "appliesOnEachItem": False}}
        case CodeSpec(kind=CodeKind.PERCENT, percent=int() as percent) if 1 <= percent <= 100:
            value = {"percentage": percent / 100}  # GraphQL's Float; 0.01 to 1.00 come back as they went
        case _:
            raise Refused("unsupported", f"Shopify has no code of kind {spec.kind} without its value.")
    return {**common, "customerGets": {"items": {"all": True}, "value": value}}


def _gift(spec: CodeSpec) -> Mapping[str, Any]:
    """Buy something of a collection, get one piece of the gift for nothing: never more, however many are in the cart."""
    gift = spec.gift
    if gift is None or (gift.product_ref is None) == (gift.variant_ref is None):
        raise Refused("unsupported", "A free product names one product, or one variant.")
    items = (
        {"productsToAdd": [f"gid://shopify/Product/{gift.product_ref}"]}
        if gift.product_ref
        else {"productVariantsToAdd": [f"gid://shopify/ProductVariant/{gift.variant_ref}"]}
    )
    bought = {"amount": str(spec.minimum_spend)} if spec.minimum_spend else {"quantity": "1"}
    return {
        "usesPerOrderLimit": 1,
        "customerBuys": {
            "items": {"collections": {"add": [f"gid://shopify/Collection/{gift.collection_ref}"]}},
            "value": bought,
        },
        "customerGets": {
            "items": {"products": items},
            "value": {"discountOnQuantity": {"quantity": "1", "effect": {"percentage": 1.0}}},
        },
    }


# --- Discounts that came back ------------------------------------------------------------------------------


def found_code(node: CodeNode, tag: str | None) -> FoundCode:
    """The code as the shop has it. A discount may carry several tags: `tag` is the one to name, if it is there."""
    discount = node.code_discount
    uses, limit = discount.async_usage_count, discount.usage_limit
    kind, value = _kind_and_value(discount)
    customers = discount.context.customers if discount.context else ()
    return FoundCode(
        code=_text(discount),
        code_ref=str(ref(node.id)),
        live=discount.status == "ACTIVE" and (limit is None or uses < limit),
        uses=uses,
        uses_left=None if limit is None else max(limit - uses, 0),
        tag=tag if tag in discount.tags else None,
        customer_ref=str(ref(customers[0].id)) if len(customers) == 1 else None,
        expires_at=discount.ends_at.astimezone(UTC) if discount.ends_at else None,
        kind=kind,
        value=value,
    )


def differences(spec: CodeSpec, discount: Discount) -> Sequence[str]:
    """The fields in which the shop's discount is not what was asked for; none: it is the code."""
    kind, value = _kind_and_value(discount)
    combines = discount.combines_with
    customers = discount.context.customers if discount.context else ()
    same = {
        "code": _text(discount).casefold() == spec.code.casefold(),
        "title": discount.title == spec.title,
        "status": discount.status in ("ACTIVE", "SCHEDULED"),
        "startsAt": _same_moment(discount.starts_at, spec.starts_at),
        "endsAt": _same_moment(discount.ends_at, spec.expires_at),
        "usageLimit": discount.usage_limit == 1,
        "appliesOncePerCustomer": discount.applies_once_per_customer,
        "context": [ref(each.id) for each in customers] == [int(spec.customer_ref)],
        "combinesWith": combines
        == CombinesWith(
            order_discounts=Combines.ORDER in spec.combines,
            product_discounts=Combines.PRODUCT in spec.combines,
            shipping_discounts=Combines.SHIPPING in spec.combines,
        ),
        "tags": spec.tag in discount.tags,
        "minimumRequirement": spec.kind is CodeKind.PRODUCT or _minimum(discount) == spec.minimum_spend,
        "kind": kind is spec.kind,
        "value": value == _value(spec),
        "items": _items_are_right(spec, discount),
        "destination": discount.destination_selection in (None, Typed("DiscountCountryAll")),
        "maximumShippingPrice": discount.maximum_shipping_price is None,
    }
    return [field for field, is_same in same.items() if not is_same]


def _items_are_right(spec: CodeSpec, discount: Discount) -> bool:
    gets, buys = discount.customer_gets, discount.customer_buys
    if spec.kind is not CodeKind.PRODUCT:
        whole = gets is None or (
            gets.items.typename == "AllDiscountItems" and not gets.value.applies_on_each_item
        )
        return buys is None and whole
    if gets is None or buys is None or spec.gift is None or discount.uses_per_order_limit != 1:
        return False
    given, asked = gets.items, buys.value
    least = (
        asked.amount is not None and Decimal(asked.amount) == Decimal(str(spec.minimum_spend))
        if spec.minimum_spend
        else asked.quantity == "1"
    )
    return (
        least
        and _refs(buys.items.collections) == [spec.gift.collection_ref]
        and _refs(given.products) == ([spec.gift.product_ref] if spec.gift.product_ref else [])
        and _refs(given.product_variants) == ([spec.gift.variant_ref] if spec.gift.variant_ref else [])
        and gets.value.quantity == Pieces("1")
    )


def _refs(ids: Ids) -> list[str]:
    return [str(ref(each.id)) for each in ids.nodes]


def may_stand_second(discount: Discount) -> bool:
    """Whether an order may show another code before it."""
    return discount.combines_with not in (None, CombinesWith(False, False, False))  # noqa: FBT003


def unreachable_customer(error: UserError) -> bool:
    """Does the shop refuse because it cannot bind the code to that customer?"""
    return bool({"context", "customers", "add"} & set(error.field or ()))


def _kind_and_value(discount: Discount) -> tuple[CodeKind | None, str | None]:
    if discount.typename == "DiscountCodeFreeShipping":
        return CodeKind.FREE_SHIPPING, None
    value = discount.customer_gets.value if discount.customer_gets else Value()
    if discount.typename == "DiscountCodeBxgy":
        free = value.effect is not None and value.effect.percentage == 1
        return (CodeKind.PRODUCT if free else None), None
    if value.amount:
        return CodeKind.AMOUNT, str(_money(value.amount))
    if value.percentage is not None:
        percent = value.percentage * 100
        return CodeKind.PERCENT, str(int(percent) if percent == int(percent) else percent.normalize())
    return None, None


def _value(spec: CodeSpec) -> str | None:
    match spec.kind:
        case CodeKind.AMOUNT:
            return str(spec.amount)
        case CodeKind.PERCENT:
            return str(spec.percent)
        case _:
            return None


def _minimum(discount: Discount) -> Money | None:
    """The minimum spend; of a minimum of another kind, an amount that nobody asked for."""
    minimum = discount.minimum_requirement
    if minimum is None:
        return None
    subtotal = minimum.greater_than_or_equal_to_subtotal
    return _money(subtotal) if subtotal else Money(-1, "XXX")


def _money(money: ApiMoney) -> Money:
    return Money.parse(money.amount, money.currency_code)


def _text(discount: Discount) -> str:
    return discount.codes.nodes[0].code if discount.codes.nodes else ""


def _moment(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _same_moment(told: datetime | None, asked: datetime) -> bool:
    return told is not None and _moment(told) == _moment(asked)


# --- Gift cards --------------------------------------------------------------------------------------------


class Card(Struct, frozen=True, kw_only=True, rename="camel"):
    id: str
    enabled: bool
    note: str | None = None
    expires_on: date | None = None
    initial_value: ApiMoney
    balance: ApiMoney


class Cards(Struct, frozen=True):
    nodes: tuple[Card, ...]


class CardsAnswer(Struct, frozen=True, rename="camel"):
    gift_cards: Cards


class CardAnswer(Struct, frozen=True, rename="camel"):
    gift_card: Card | None


def card_body(spec: CodeSpec) -> Mapping[str, Any]:
    """The input of `CREATE_CARD`. Raises: Refused("unsupported")."""
    if why := why_not(spec):
        raise Refused("unsupported", why)
    return {
        "code": spec.code,
        "initialAmount": _asked_money(spec),
        # A day at Shopify, an instant here: never sooner than promised. At the instant itself we withdraw it.
        "expiresOn": _last_day(spec).isoformat(),
        "note": card_note(spec.tag, spec.code),
    }


def card_note(tag: str, code: str) -> str:
    """What a card is known by: its code comes back masked, and would be money in the open."""
    return f"{tag} {hashlib.sha256(code.casefold().encode()).hexdigest()[:20]}"


def card_differences(spec: CodeSpec, card: Card) -> Sequence[str]:
    same = {
        "initialValue": _money(card.initial_value) == spec.amount,
        "expiresOn": card.expires_on == _last_day(spec),
        "enabled": card.enabled,
    }
    return [field for field, is_same in same.items() if not is_same]


def found_card(spec: CodeSpec, card: Card) -> FoundCode:
    left, first = _money(card.balance), _money(card.initial_value)
    return FoundCode(
        code=spec.code,
        code_ref=str(ref(card.id)),
        live=card.enabled and left.minor > 0,
        uses=0 if left == first else 1,
        uses_left=None,
        tag=spec.tag,
        customer_ref=None,
        expires_at=None,
        kind=CodeKind.GIFT_CARD,
        value=str(first),
        left=left,
    )


def _last_day(spec: CodeSpec) -> date:
    return spec.expires_at.astimezone(UTC).date() + timedelta(days=1)


# --- Store credit ------------------------------------------------------------------------------------------


class Credited(Struct, frozen=True, kw_only=True, rename="camel"):
    typename: str = msgspec.field(name="__typename")
    id: str = ""
    created_at: Moment | None = None
    expires_at: Moment | None = None
    amount: ApiMoney | None = None


class Credits(Struct, frozen=True):
    nodes: tuple[Credited, ...]


class CreditAccount(Struct, frozen=True):
    transactions: Credits


class CreditAccounts(Struct, frozen=True):
    nodes: tuple[CreditAccount, ...]


class CreditCustomer(Struct, frozen=True, rename="camel"):
    store_credit_accounts: CreditAccounts


class CreditsAnswer(Struct, frozen=True):
    customer: CreditCustomer | None


def credit_body(spec: CodeSpec) -> Mapping[str, Any]:
    """The input of `CREDIT`. Raises: Refused("unsupported")."""
    if why := why_not(spec):
        raise Refused("unsupported", why)
    return {
        "creditAmount": _asked_money(spec),
        "expiresAt": _moment(credit_end(spec)),
        "notify": False,
    }


def credit_end(spec: CodeSpec) -> datetime:
    """When the credit ends: the one thing of it that we choose and can read again, so it tells our credits apart.

    Each of a customer's has a second of its own after the promised end, which is a midnight, as others may choose it
    too; no two of ours are alike within a day's worth.
    """
    return spec.expires_at + timedelta(seconds=1 + spec.number % 86_399)


def is_credit(spec: CodeSpec, credit: Credited) -> bool:
    return (
        credit.amount is not None
        and _money(credit.amount) == spec.amount
        and _same_moment(credit.expires_at, credit_end(spec))
    )


def found_credit(spec: CodeSpec, credit: Credited) -> FoundCode:
    """Handed over: nothing is left that could be withdrawn."""
    return FoundCode(
        code=spec.code,
        code_ref=str(ref(credit.id)),
        live=False,
        uses=1,
        uses_left=0,
        tag=spec.tag,
        customer_ref=spec.customer_ref,
        expires_at=spec.expires_at,
        kind=CodeKind.STORE_CREDIT,
        value=str(spec.amount),
        left=Money(0, spec.amount.currency) if spec.amount else None,
    )


def _asked_money(spec: CodeSpec) -> Mapping[str, str]:
    if spec.amount is None or spec.amount.minor <= 0:
        raise Refused("unsupported", f"Shopify makes no {spec.kind} without its amount.")
    return {"amount": str(spec.amount), "currencyCode": spec.amount.currency}
