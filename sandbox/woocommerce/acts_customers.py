"""Products and customers: what staff and shoppers do with them."""

from collections.abc import Sequence
from decimal import Decimal

from sandbox.woocommerce.base import ShopBase
from sandbox.woocommerce.state import Category, Customer, Product, address, billing


class CustomerActs(ShopBase):
    def product(
        self, name: str, price: Decimal | str | int, *, sku: str = "", taxable: bool = True
    ) -> Product:
        """The product of that name, made when there is none yet; a new price is the price from now on."""
        with self.lock:
            for product in self.products.values():
                if product.name == name:
                    product.price = self.amount(price)
                    return product
            product = Product(
                id=self._count("post"),
                name=name,
                price=self.amount(price),
                sku=sku or name.upper().replace(" ", "-")[:12],
                taxable=taxable,
            )
            self.products[product.id] = product
            self.emit("product", "created", product.id)
            return product

    def category(self, name: str, *, within: Category | None = None) -> Category:
        """The category of that name, made when there is none yet."""
        with self.lock:
            for category in self.categories.values():
                if category.name == name:
                    return category
            category = Category(id=next(self._terms), name=name, parent=within.id if within else 0)
            self.categories[category.id] = category
            return category

    def sort_product(self, product: Product, *categories: Category, tags: Sequence[str] = ()) -> None:
        with self.lock:
            product.categories = tuple(category.id for category in categories)
            product.tags = tuple(tags)
            self.emit("product", "updated", product.id)

    def trash_product(self, product: Product) -> None:
        """By REST, a trashed product sends coupon.deleted with the product's id: seen, and kept."""
        with self.lock:
            product.trashed = True
            self.emit("product", "deleted", product.id)
            self.emit("coupon", "deleted", product.id)

    def create_customer(
        self, email: str, first_name: str = "", last_name: str = "", *, role: str = "customer"
    ) -> Customer:
        with self.lock:
            now = self.now()
            customer = Customer(
                id=self._count("user"),
                email=email,
                first_name=first_name,
                last_name=last_name,
                username=email.partition("@")[0].lower(),
                created=now,
                modified=now,
                billing=billing(),
                shipping=address(),
                role=role,
            )
            self.customers[customer.id] = customer
            self.emit("customer", "created", customer.id)
            self.emit("customer", "updated", customer.id)
            return customer

    def update_customer(
        self,
        customer: Customer,
        *,
        email: str | None = None,
        first_name: str | None = None,
        role: str | None = None,
    ) -> None:
        with self.lock:
            customer.role = role if role is not None else customer.role
            customer.email = email if email is not None else customer.email
            customer.first_name = first_name if first_name is not None else customer.first_name
            customer.modified = self.now()
            self.emit("customer", "updated", customer.id)

    def delete_customer(self, customer: Customer) -> None:
        """The account goes; the customer's orders stay and become a guest's."""
        with self.lock:
            del self.customers[customer.id]
            for order in self.orders.values():
                if order.customer_id == customer.id:
                    order.customer_id = 0
            self.emit("customer", "deleted", customer.id)
