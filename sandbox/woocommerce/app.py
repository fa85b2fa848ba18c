"""The store on the wire: REST API, consent page and shop pages in one Flask app."""

from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException

from sandbox.woocommerce import (
    consent,
    page,
    rest_coupons,
    rest_customers,
    rest_orders,
    rest_products,
    rest_refunds,
    rest_site,
)
from sandbox.woocommerce.shop import Shop
from sandbox.woocommerce.wire import PREFIX, WcError, after, answer, before


def create_app(shop: Shop) -> Flask:
    """A WSGI app that answers for `shop`."""
    app = Flask("sandbox.woocommerce", static_folder=None)
    app.secret_key = shop.widget_secret  # of the shop pages' own session
    for part in (rest_orders, rest_refunds, rest_coupons, rest_customers, rest_products, rest_site):
        app.register_blueprint(part.make(shop), url_prefix=PREFIX)
    app.register_blueprint(rest_site.make_companion(shop), url_prefix="/wp-json/wc-laurel/v1")
    app.register_blueprint(consent.make(shop))
    app.register_blueprint(page.make(shop))

    @app.get("/wp-json/")
    def root() -> Response:
        return answer(rest_site.index(shop))

    @app.before_request
    def first() -> Response | None:
        return before(shop)

    @app.after_request
    def last(response: Response) -> Response:
        return after(shop, response)

    @app.errorhandler(WcError)
    def refused(error: WcError) -> Response:
        return answer(error.body, error.status)

    @app.errorhandler(HTTPException)
    def no_route(error: HTTPException) -> Response | HTTPException:
        if not request.path.startswith("/wp-json/"):
            return error
        text = "No route was found matching the URL and request method."
        return answer({"code": "rest_no_route", "message": text, "data": {"status": 404}}, 404)

    return app
