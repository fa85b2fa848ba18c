"""GraphQL fields of customers."""

from sandbox.shopify.fields_metafields import find_metafields
from sandbox.shopify.fields_money import credit_accounts
from sandbox.shopify.money import money
from sandbox.shopify.shop import Shop
from sandbox.shopify.state import (
    Customer,
    Order,
    gid,
)
from sandbox.shopify.totals import total
from sandbox.shopify.typed import Fields, denied, iso

CUSTOMER: Fields = {
    "id": lambda _, customer, __: gid("Customer", customer.id),
    "legacyResourceId": lambda _, customer, __: str(customer.id),
    "state": lambda _, customer, __: customer.state.upper(),
    "locale": lambda _, __, ___: "en",
    "tags": lambda _, customer, __: customer.tags,
    "note": lambda _, customer, __: customer.note,
    "verifiedEmail": lambda _, customer, __: customer.verified,
    "createdAt": lambda _, customer, __: iso(customer.created),
    "updatedAt": lambda _, customer, __: iso(customer.updated),
    "numberOfOrders": lambda shop, customer, __: str(len(_orders_of(shop, customer))),
    "amountSpent": lambda shop, customer, __: money(
        total([shop.sums(o).received - shop.sums(o).refunded for o in _orders_of(shop, customer)]),
        shop.currency,
    ),
    "firstName": lambda shop, customer, __: _personal(shop, "firstName", customer.first_name),
    "lastName": lambda shop, customer, __: _personal(shop, "lastName", customer.last_name),
    "displayName": lambda shop, customer, __: _personal(
        shop, "displayName", f"{customer.first_name} {customer.last_name}".strip() or customer.email
    ),
    "email": lambda shop, customer, __: _personal(shop, "email", customer.email),
    "phone": lambda shop, customer, __: _personal(shop, "phone", customer.phone),
    "defaultEmailAddress": lambda shop, customer, __: {"customer": customer} if customer.email else None,
    "defaultPhoneNumber": lambda _, __, ___: None,
    "metafields": find_metafields,
    "storeCreditAccounts": lambda shop, customer, args: credit_accounts(shop, customer, args),
}


EMAIL: Fields = {
    "emailAddress": lambda shop, source, _: _personal(shop, "emailAddress", source["customer"].email),
    "marketingState": lambda _, __, ___: "NOT_SUBSCRIBED",
    "validFormat": lambda _, __, ___: True,
}


def _orders_of(shop: Shop, customer: Customer) -> list[Order]:
    return [order for order in shop.orders.values() if order.customer is customer]


def _personal(shop: Shop, name: str, value: str | None) -> str | None:
    return denied(name) if shop.hides_personal_data else value
