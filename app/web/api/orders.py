"""Orders as the ledger sees them."""

from app.services.describe_order import OrderView, describe_order
from app.web.api.blueprint import blueprint, key
from app.web.api.outgoing import OrderOut
from app.web.api.problems import problems
from app.web.here import runtime
from app.web.languages import reader


@blueprint.get("/orders/<order>")
@blueprint.output(OrderOut)
@blueprint.doc(
    summary="One order: what the shop said, what it is worth, and why",
    description="`order` is <shop_key>:<order_ref>. Guests' and held orders too.",
    operation_id="get_order",
    responses=problems(400, 401, 404),
)
def get_order(order: str) -> OrderView:
    shop_key, _, order_ref = order.partition(":")
    return describe_order(runtime(), key().program_id, shop_key, order_ref, reader())
