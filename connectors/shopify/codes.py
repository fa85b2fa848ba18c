"""Discount codes in Shopify's words: what to ask for, what came back, and whether the two are the same. No calls."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import msgspec
from msgspec import Struct

from app.domain.errors import Refused
from app.domain.money import Money
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
  ... on DiscountCodeBxgy { title status endsAt usageLimit asyncUsageCount tags codes(first: 1) { nodes { code } } }
  ... on DiscountCodeApp { title status endsAt usageLimit asyncUsageCount tags codes(first: 1) { nodes { code } } }
"""

FIND = f"query FindCode($code: String!) {{ codeDiscountNodeByCode(code: $code) {{ id codeDiscount {{ {_FIELDS} }} }} }}"

# A discount of any kind has a node of its own here; the alias gives it the shape of the others.
OURS = f"""
query OurCodes($query: String!, $after: String) {{
  discountNodes(first: 50, query: $query, after: $after, sortKey: ID) {{
    pageInfo {{ hasNextPage endCursor }}
    nodes {{ id codeDiscount: discount {{ {_FIELDS} }} }}
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

DEACTIVATE = """
mutation WithdrawCode($id: ID!) {
  made: discountCodeDeactivate(id: $id) { codeDiscountNode { id } userErrors { field code message } }
}"""

OPERATIONS = (FIND, OURS, CREATE_BASIC, CREATE_FREE_SHIPPING, DEACTIVATE)


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


class Value(Struct, frozen=True, kw_only=True, rename="camel"):
    amount: ApiMoney | None = None
    applies_on_each_item: bool = False
    percentage: Decimal | None = None


class Gets(Struct, frozen=True):
    items: Typed
    value: Value


class Combines(Struct, frozen=True, rename="camel"):
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
    applies_once_per_customer: bool = False
    async_usage_count: int = 0
    tags: tuple[str, ...] = ()
    codes: CodeTexts = CodeTexts(())
    combines_with: Combines | None = None
    context: Customers | None = None
    minimum_requirement: Minimum | None = None
    customer_gets: Gets | None = None
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
    user_errors: tuple[UserError, ...]


class MadeAnswer(Struct, frozen=True):
    made: Made | None


def create_operation(spec: CodeSpec) -> str:
    return CREATE_FREE_SHIPPING if spec.kind is CodeKind.FREE_SHIPPING else CREATE_BASIC


def body(spec: CodeSpec) -> Mapping[str, Any]:
    """The input of `create_operation(spec)`: one use, one customer, nothing else at the same time.

    Not combined with other discounts: so an order shows no other code before ours, and the search for orders by
    code, which looks at an order's first code only, finds it.

    Raises: Refused("unsupported").
    """
    common: dict[str, Any] = {
        "title": spec.title,
        "code": spec.code,
        "startsAt": _moment(spec.starts_at),
        "endsAt": _moment(spec.expires_at),
        "usageLimit": 1,
        "appliesOncePerCustomer": True,
        "context": {"customers": {"add": [f"gid://shopify/Customer/{spec.customer_ref}"]}},
        "combinesWith": {"orderDiscounts": False, "productDiscounts": False, "shippingDiscounts": False},
        "tags": [spec.tag],
    }
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
    gets, combines = discount.customer_gets, discount.combines_with
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
        "combinesWith": combines == Combines(False, False, False),  # noqa: FBT003
        "tags": spec.tag in discount.tags,
        "minimumRequirement": _minimum(discount) == spec.minimum_spend,
        "kind": kind is spec.kind,
        "value": value == _value(spec),
        "items": gets is None
        or (gets.items.typename == "AllDiscountItems" and not gets.value.applies_on_each_item),
        "destination": discount.destination_selection in (None, Typed("DiscountCountryAll")),
        "maximumShippingPrice": discount.maximum_shipping_price is None,
    }
    return [field for field, is_same in same.items() if not is_same]


def unreachable_customer(error: UserError) -> bool:
    """Does the shop refuse because it cannot bind the code to that customer?"""
    return bool({"context", "customers", "add"} & set(error.field or ()))


def _kind_and_value(discount: Discount) -> tuple[CodeKind | None, str | None]:
    if discount.typename == "DiscountCodeFreeShipping":
        return CodeKind.FREE_SHIPPING, None
    value = discount.customer_gets.value if discount.customer_gets else Value()
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
