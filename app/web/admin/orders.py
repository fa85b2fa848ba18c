"""Orders as we hold them: what the shop said, what it is worth, and why."""

from flask import render_template, request
from flask.typing import ResponseReturnValue

from app.services.describe_order import describe_order
from app.services.list_orders import list_orders
from app.services.list_shops import list_shops
from app.web.admin.guard import blueprint, program_id
from app.web.admin.members import number_of
from app.web.here import runtime

LISTS = (
    ("all", "All"),
    ("held", "Cannot be counted"),
    ("unreadable", "Unreadable"),
    ("to-read", "To be read again"),
)


@blueprint.get("/orders")
def orders() -> ResponseReturnValue:
    which, search = request.args.get("show", "all"), request.args.get("q", "").strip()[:200]
    page = list_orders(runtime(), program_id(), which=which, search=search, cursor=number_of("after"))
    return render_template("admin/orders.html", page=page, which=which, q=search, lists=LISTS)


@blueprint.get("/orders/<shop_key>/<path:order_ref>")
def order(shop_key: str, order_ref: str) -> ResponseReturnValue:
    rt = runtime()
    view = describe_order(rt, program_id(), shop_key, order_ref)
    shop = next(one for one in list_shops(rt, program_id()) if one.key == shop_key)
    return render_template("admin/order.html", view=view, order=view.snapshot, shop=shop)
