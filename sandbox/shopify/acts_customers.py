"""Products and customers: what staff and shoppers do with them, and what privacy law makes them ask."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from sandbox.shopify.base import ShopBase
from sandbox.shopify.bodies import customer_body
from sandbox.shopify.state import Customer, Product, gid


class CustomerActs(ShopBase):
    def product(
        self,
        title: str,
        price: Decimal | str | int,
        *,
        sku: str = "",
        taxable: bool = True,
        gift_card: bool = False,
        tags: Sequence[str] = (),
        collections: Sequence[int] = (),
    ) -> Product:
        """The product of that title, made when there is none yet; a new price is the price from now on."""
        with self.act():
            for product in self.products.values():
                if product.title == title:
                    product.price = self.amount(price)
                    return product
            product = Product(
                id=self.new_id(),
                variant_id=self.new_id(),
                title=title,
                price=self.amount(price),
                sku=sku or title.upper().replace(" ", "-")[:12],
                taxable=taxable and not gift_card,
                gift_card=gift_card,
                tags=tuple(tags),
                collections=tuple(collections),
            )
            self.products[product.id] = product
            return product

    def create_customer(
        self,
        email: str,
        first_name: str = "",
        last_name: str = "",
        *,
        verified: bool = True,
        state: str = "enabled",
    ) -> Customer:
        with self.act():
            customer = Customer(
                id=self.new_id(),
                email=email,
                first_name=first_name,
                last_name=last_name,
                created=self.now(),
                updated=self.now(),
                verified=verified,
                state=state,
            )
            self.customers[customer.id] = customer
            self._tell_customer("customers/create", customer)
            return customer

    def update_customer(
        self, customer: Customer, *, email: str | None = None, first_name: str | None = None
    ) -> None:
        with self.act():
            customer.email = email if email is not None else customer.email
            customer.first_name = first_name if first_name is not None else customer.first_name
            customer.updated = self.now()
            self._tell_customer("customers/update", customer)

    def tag_customer(self, customer: Customer, *tags: str) -> None:
        """Staff or an app tags the customer; Shopify tells what came, not what is there."""
        with self.act():
            fresh = [tag for tag in tags if tag.casefold() not in map(str.casefold, customer.tags)]
            customer.tags += fresh
            self._tell_tags("customer.tags_added", customer, fresh)

    def untag_customer(self, customer: Customer, *tags: str) -> None:
        with self.act():
            folded = {tag.casefold() for tag in tags}
            gone = [tag for tag in customer.tags if tag.casefold() in folded]
            customer.tags = [tag for tag in customer.tags if tag not in gone]
            self._tell_tags("customer.tags_removed", customer, gone)

    def _tell_tags(self, topic: str, customer: Customer, tags: list[str]) -> None:
        """Nothing changed, nothing is told."""
        if tags:
            body = {
                "customerId": gid("Customer", customer.id),
                "tags": tags,
                "occurredAt": self.now().strftime("%Y-%m-%dT%H:%M:%S.000Z"),
            }
            self.emit(topic, lambda: body, str(customer.id))

    def delete_customer(self, customer: Customer) -> None:
        """Only a customer without orders can be deleted."""
        with self.act():
            self.customers.pop(customer.id)
            identity = gid("Customer", customer.id)
            body = {"id": customer.id, "tax_exemptions": [], "admin_graphql_api_id": identity}
            self.emit("customers/delete", lambda: body, str(customer.id))

    def merge_customers(self, kept: Customer, gone: Customer, *, fails: bool = False) -> None:
        """Two records become one: `gone`'s orders and codes are `kept`'s. `fails`: told, but nothing happens.

        Raises: ValueError, if one of them was given store credit (the schema's CustomerMergeErrorFieldType).
        """
        with self.act():
            if any(credit.customer_id in (kept.id, gone.id) for credit in self.credits):
                raise ValueError("The customer has store credit.")
            told: dict[str, Any] = {
                "admin_graphql_api_customer_kept_id": gid("Customer", kept.id),
                "admin_graphql_api_customer_deleted_id": gid("Customer", gone.id),
                "admin_graphql_api_job_id": None,
                "status": "failed" if fails else "completed",
                "errors": [],
            }
            if fails:
                problem = {
                    "customer_ids": [kept.id],
                    "field": "merge_in_progress",
                    "message": "Being merged.",
                }
                told["errors"] = [problem]
            else:
                self._join(kept, gone)
            self.emit("customers/merge", lambda: told, str(kept.id))

    def request_data(self, customer: Customer) -> None:
        """The customer asks what is known of them."""
        self._comply("customers/data_request", customer, "orders_requested", {"data_request": {"id": 9999}})

    def redact_customer(self, customer: Customer) -> None:
        self._comply("customers/redact", customer, "orders_to_redact", {})

    def redact_shop(self) -> None:
        """48 hours after the app was uninstalled."""
        with self.act():
            was, self.installed = self.installed, True  # told to the app that is gone
            body = {"shop_id": self.id, "shop_domain": self.domain}
            self.emit("shop/redact", lambda: body, str(self.id))
            self.installed = was

    def _join(self, kept: Customer, gone: Customer) -> None:
        self.customers.pop(gone.id)
        kept.tags += [tag for tag in gone.tags if tag not in kept.tags]
        for order in self.orders.values():
            if order.customer is gone:
                order.customer = kept
        for discount in self.discounts.values():
            if discount.customers is not None and gone.id in discount.customers:
                discount.customers = sorted({kept.id, *discount.customers} - {gone.id})

    def _comply(self, topic: str, customer: Customer, orders: str, more: dict[str, object]) -> None:
        with self.act():
            mine = [order.id for order in self.orders.values() if order.customer is customer]
            who = {"id": customer.id, "email": customer.email, "phone": customer.phone}
            body = {"shop_id": self.id, "shop_domain": self.domain, "customer": who, orders: mine, **more}
            self.emit(topic, lambda: body, str(customer.id))

    def _tell_customer(self, topic: str, customer: Customer) -> None:
        self.emit(topic, lambda: customer_body(self, customer), str(customer.id))
