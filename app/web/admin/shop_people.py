"""Who comes into the program from a shop's own admin, without being invited."""

from flask import request, url_for
from flask.typing import ResponseReturnValue

from app.domain.staff import Role
from app.services.describe_shop import describe_shop
from app.services.set_staff_role import set_staff_role
from app.web.admin.answers import ask, done
from app.web.admin.guard import blueprint, needs, program_id
from app.web.admin.staff import ROLES
from app.web.here import runtime


@blueprint.get("/shops/<shop_key>/people")
@needs(Role.OWNER)
def ask_people(shop_key: str) -> ResponseReturnValue:
    shop = describe_shop(runtime(), program_id(), shop_key).shop
    roles = [one for one in ROLES if one[0] is not Role.OWNER]
    return ask("admin/shop_people.html", shop=shop, roles=roles)


@blueprint.post("/shops/<shop_key>/people")
@needs(Role.OWNER)
def do_people(shop_key: str) -> ResponseReturnValue:
    rt, typed = runtime(), request.form.get("role", "")
    shop = describe_shop(rt, program_id(), shop_key).shop
    set_staff_role(rt, program_id(), shop.shop_id, Role(typed) if typed in set(Role) else None)
    return done(url_for("admin.shop", shop_key=shop_key), f"Saved, for whoever comes from {shop.name} next.")
