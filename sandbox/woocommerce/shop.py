"""The store as a whole: all acts together, and what it says of each resource when a webhook is sent."""

from sandbox.woocommerce.acts_refunds import RefundActs
from sandbox.woocommerce.bodies import coupon_body, customer_body
from sandbox.woocommerce.bodies_orders import order_body
from sandbox.woocommerce.parts import encode


class Shop(RefundActs):
    """A WooCommerce store. Its methods are what people do; `create_app(shop)` gives its REST API and pages."""

    def payload(self, resource: str, event: str, number: int) -> bytes:
        """As the real store: built when it is sent. Only an id for what was deleted; an error object, validly
        signed, for what has gone for good since."""
        if event == "deleted" or resource == "product":
            return encode({"id": number})
        if resource == "order" and (order := self.orders.get(number)) is not None:
            return encode(order_body(self, order))
        if resource == "coupon" and (coupon := self.coupons.get(number)) is not None:
            return encode(coupon_body(self, coupon))
        if resource == "customer" and (customer := self.customers.get(number)) is not None:
            return encode(customer_body(self, customer))
        code = {
            "order": "woocommerce_rest_shop_order_invalid_id",
            "coupon": "woocommerce_rest_shop_coupon_invalid_id",
            "customer": "wc_user_invalid_id",
        }[resource]
        return encode({"code": code, "message": "Invalid ID.", "data": {"status": 404}})
