"""Customers by REST."""

from flask import Blueprint, Response, request

from sandbox.woocommerce.bodies import customer_body
from sandbox.woocommerce.order_search import ids_of
from sandbox.woocommerce.shop import Shop
from sandbox.woocommerce.state import Customer
from sandbox.woocommerce.wire import WcError, answer, page_of


def make(shop: Shop) -> Blueprint:
    api = Blueprint("customers", __name__)

    @api.get("/customers")
    def list_customers() -> Response:
        asked = request.args
        role = asked.get("role", "customer")
        with shop.lock:
            rows = [
                customer
                for customer in shop.customers.values()
                if role in ("all", customer.role)
                and customer.email.lower() == asked.get("email", customer.email).lower()
                and (not asked.get("include") or customer.id in ids_of("include"))
            ]
            rows.sort(key=lambda customer: (customer.first_name, customer.id))
            return page_of(shop, rows, lambda customer: customer_body(shop, customer))

    @api.get("/customers/<int:number>")
    def get_customer(number: int) -> Response:
        with shop.lock:
            return answer(customer_body(shop, _customer(shop, number)))

    @api.route("/customers/<int:number>", methods=["PUT", "POST", "PATCH"])
    def put_customer(number: int) -> Response:
        asked = request.get_json()
        with shop.lock:
            customer = _customer(shop, number)
            shop.update_customer(customer, email=asked.get("email"), first_name=asked.get("first_name"))
            return answer(customer_body(shop, customer))

    return api


def _customer(shop: Shop, number: int) -> Customer:
    customer = shop.customers.get(number)
    if customer is None:
        raise WcError("wc_user_invalid_id", "Invalid user ID.", 404)
    return customer
