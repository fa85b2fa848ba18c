"""What Shopify sends, as structs of only the fields we read: webhook bodies, and the Admin API's answers on orders.

The webhook's shape is the one that `mapping` reads. `ApiOrder` and `ApiRefund` are the same facts in GraphQL's
words; `mapping.told_by_api` turns them into it. No number with a fraction is read anywhere: amounts are the
texts of `…_set.shop_money` (the shop's currency), never the bare numbers beside them.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any

from msgspec import Meta, Struct, field

from app.domain.triggers import Trigger

# Exact above 2^53, and no booleans: msgspec refuses both `true` and `1.0` for an int.
Id = Annotated[int, Meta(ge=1, le=2**63 - 1)]
Quantity = Annotated[int, Meta(ge=0, le=10**9)]
Moment = Annotated[datetime, Meta(tz=True)]


class ShopMoney(Struct, frozen=True):
    amount: str
    currency_code: str


class MoneySet(Struct, frozen=True):
    shop_money: ShopMoney


class TaxLine(Struct, frozen=True):
    price_set: MoneySet


class Allocation(Struct, frozen=True):
    """A discount's share on one line: its own, or its part of a discount on the whole order."""

    amount_set: MoneySet


class Line(Struct, frozen=True, kw_only=True):
    """`quantity` as sold, refunded and removed units included; `current_quantity` without them."""

    id: Id
    quantity: Quantity
    current_quantity: Quantity | None = None
    gift_card: bool = False
    requires_shipping: bool = True
    taxable: bool = True
    price_set: MoneySet  # of one unit
    tax_lines: tuple[TaxLine, ...] = ()
    discount_allocations: tuple[Allocation, ...] = ()
    tip: Any = None  # only whether it is there
    # Words, not money: whatever stands there spoils no order.
    product_exists: Any = True
    product_id: Any = None
    variant_id: Any = None
    vendor: Any = None
    selling_plan_id: Any = None  # only whether it is there; webhooks have it since 2026-10


class ShippingLine(Struct, frozen=True):
    """`discounted_price_set`: after all discounts, before refunds; with tax where the order's prices have it."""

    discounted_price_set: MoneySet | None = None
    price_set: MoneySet | None = None
    tax_lines: tuple[TaxLine, ...] = ()
    is_removed: bool = False  # by an order edit


class RefundedLine(Struct, frozen=True):
    """`subtotal_set`: after discounts, with tax where the order's prices have it."""

    line_item_id: Id
    quantity: Quantity
    subtotal_set: MoneySet
    total_tax_set: MoneySet


class RefundedShipping(Struct, frozen=True):
    subtotal_amount_set: MoneySet
    tax_amount_set: MoneySet | None = None


class Adjustment(Struct, frozen=True):
    """What a refund gave beyond (negative) or below (positive) what its lines come to."""

    amount_set: MoneySet
    kind: str | None = None


class Transaction(Struct, frozen=True):
    kind: str
    status: str
    amount: str


class Refund(Struct, frozen=True, kw_only=True):
    id: Id
    created_at: Moment | None = None
    processed_at: Moment | None = None
    refund_line_items: tuple[RefundedLine, ...] = ()
    refund_shipping_lines: tuple[RefundedShipping, ...] = ()
    order_adjustments: tuple[Adjustment, ...] = ()
    transactions: tuple[Transaction, ...] = ()
    total_duties_set: MoneySet | None = None


class Customer(Struct, frozen=True, kw_only=True):
    id: Id
    email: str | None = None
    verified_email: bool = False
    first_name: str | None = None
    last_name: str | None = None


class CustomerRef(Struct, frozen=True):
    id: Id


class Fulfillment(Struct, frozen=True):
    created_at: Moment
    status: str | None = None


class UsedCode(Struct, frozen=True):
    code: str


class Order(Struct, frozen=True, kw_only=True):
    """An order as the topics orders/* carry it, orders/edited and orders/delete apart."""

    id: Id
    name: str
    email: str | None = None
    currency: str
    presentment_currency: str | None = None
    taxes_included: bool = False
    financial_status: str | None = None
    fulfillment_status: str | None = None
    created_at: Moment
    processed_at: Moment | None = None
    cancelled_at: Moment | None = None
    updated_at: Moment
    test: bool = False
    total_tip_received: str = "0"
    customer: CustomerRef | None = None
    discount_codes: tuple[UsedCode, ...] = ()
    line_items: tuple[Line, ...]
    shipping_lines: tuple[ShippingLine, ...] = ()
    refunds: tuple[Refund, ...] = ()
    fulfillments: tuple[Fulfillment, ...] = ()
    source_name: Any = None
    tags: Any = ""  # "one, two"


class OrderRef(Struct, frozen=True):
    """orders/delete."""

    id: Id


class OfOrder(Struct, frozen=True):
    """refunds/create, order_transactions/create."""

    order_id: Id


class EditedOrder(Struct, frozen=True):
    order_edit: OfOrder


class CustomersMerge(Struct, frozen=True):
    status: str
    admin_graphql_api_customer_kept_id: str
    admin_graphql_api_customer_deleted_id: str


class Discount(Struct, frozen=True):
    admin_graphql_api_id: str


class Shop(Struct, frozen=True):
    """app/uninstalled. Which shop it is the header says; the body only has to be one."""

    id: Id


class ScopesUpdate(Struct, frozen=True):
    """app/scopes_update. What is granted now is asked for: by then it may have changed again."""

    current: tuple[str, ...]


class ShopErasure(Struct, frozen=True):
    """shop/redact, likewise."""

    shop_id: Id


class PersonalRequest(Struct, frozen=True, kw_only=True):
    """customers/redact."""

    customer: Customer
    orders_to_redact: tuple[Id, ...] = ()


class DataRequest(Struct, frozen=True, kw_only=True):
    customer: CustomerRef
    data_request: CustomerRef


class ApiMoney(Struct, frozen=True, rename="camel"):
    amount: str
    currency_code: str


class ApiMoneyBag(Struct, frozen=True, rename="camel"):
    shop_money: ApiMoney


class TagsChanged(Struct, frozen=True, rename="camel"):
    customer_id: str  # a gid
    tags: tuple[str, ...] = ()  # those that came or went


class ApiPage(Struct, frozen=True, rename="camel"):
    has_next_page: bool
    end_cursor: str | None = None


class ApiNode(Struct, frozen=True):
    id: str


class ApiTaxLine(Struct, frozen=True, rename="camel"):
    price_set: ApiMoneyBag


class ApiAllocation(Struct, frozen=True, rename="camel"):
    allocated_amount_set: ApiMoneyBag


class ApiSellingPlan(Struct, frozen=True, rename="camel"):
    selling_plan_id: str | None


class ApiLine(Struct, frozen=True, kw_only=True, rename="camel"):
    """`product`, `variant`: null where there is none any more, and where the app may not read products."""

    id: str
    quantity: Quantity
    current_quantity: Quantity
    is_gift_card: bool
    requires_shipping: bool
    taxable: bool
    original_unit_price_set: ApiMoneyBag
    tax_lines: tuple[ApiTaxLine, ...]
    discount_allocations: tuple[ApiAllocation, ...]
    vendor: str | None
    product: ApiNode | None
    variant: ApiNode | None
    selling_plan: ApiSellingPlan | None


class ApiLines(Struct, frozen=True, rename="camel"):
    page_info: ApiPage
    nodes: tuple[ApiLine, ...]


class ApiShippingLine(Struct, frozen=True, rename="camel"):
    discounted_price_set: ApiMoneyBag
    tax_lines: tuple[ApiTaxLine, ...]


class ApiShippingLines(Struct, frozen=True):
    nodes: tuple[ApiShippingLine, ...]


class ApiFulfillment(Struct, frozen=True, rename="camel"):
    created_at: Moment
    status: str


class ApiOrder(Struct, frozen=True, kw_only=True, rename="camel"):
    id: str
    name: str
    email: str | None = None
    currency_code: str
    presentment_currency_code: str
    taxes_included: bool
    display_financial_status: str | None
    display_fulfillment_status: str
    created_at: Moment
    processed_at: Moment
    cancelled_at: Moment | None
    updated_at: Moment
    test: bool
    total_tip_received_set: ApiMoneyBag
    customer: ApiNode | None
    discount_codes: tuple[str, ...]
    line_items: ApiLines
    shipping_lines: ApiShippingLines
    refunds: tuple[ApiNode, ...]
    fulfillments: tuple[ApiFulfillment, ...]
    source_name: str | None
    tags: tuple[str, ...]


class ApiRefundedLine(Struct, frozen=True, rename="camel"):
    quantity: Quantity
    subtotal_set: ApiMoneyBag
    total_tax_set: ApiMoneyBag
    line_item: ApiNode


class ApiRefundedLines(Struct, frozen=True, rename="camel"):
    page_info: ApiPage
    nodes: tuple[ApiRefundedLine, ...]


class ApiRefundedShipping(Struct, frozen=True, rename="camel"):
    subtotal_amount_set: ApiMoneyBag
    tax_amount_set: ApiMoneyBag


class ApiShippingNodes(Struct, frozen=True):
    nodes: tuple[ApiRefundedShipping, ...]


class ApiAdjustment(Struct, frozen=True, rename="camel"):
    amount_set: ApiMoneyBag


class ApiAdjustmentNodes(Struct, frozen=True):
    nodes: tuple[ApiAdjustment, ...]


class ApiTransaction(Struct, frozen=True, rename="camel"):
    kind: str
    status: str
    amount_set: ApiMoneyBag


class ApiTransactionNodes(Struct, frozen=True):
    nodes: tuple[ApiTransaction, ...]


class ApiDuty(Struct, frozen=True, rename="camel"):
    amount_set: ApiMoneyBag


class ApiRefund(Struct, frozen=True, kw_only=True, rename="camel"):
    id: str
    created_at: Moment | None
    processed_at: Moment
    refund_line_items: ApiRefundedLines
    refund_shipping_lines: ApiShippingNodes
    order_adjustments: ApiAdjustmentNodes
    transactions: ApiTransactionNodes
    duties: tuple[ApiDuty, ...] | None


class FlowGift(Struct, frozen=True):
    """The fields of extensions/laurel-flow-add-points. Flow writes numbers as text."""

    customer_id: str
    points: str
    reason: str


HANDLES: Mapping[Trigger, str] = {
    Trigger.POINTS_EARNED: "laurel-flow-points-earned",
    Trigger.TIER_CHANGED: "laurel-flow-tier-changed",
    Trigger.REWARD_REDEEMED: "laurel-flow-reward-redeemed",
}
"""The folders of Flow's triggers in extensions/, whose fields are the facts of each."""


class FlowUse(Struct, frozen=True, kw_only=True):
    """What Flow says when a workflow with a trigger of ours is switched on, and when the last one is switched off.

    Source: shopify.dev, "Flow trigger lifecycle events".
    """

    definition: str = field(name="flow_trigger_definition_id")
    in_use: bool = field(name="has_enabled_flow")
    shopify_domain: str
    timestamp: Moment


class FlowAct(Struct, frozen=True):
    shopify_domain: str
    action_run_id: str
    properties: FlowGift
