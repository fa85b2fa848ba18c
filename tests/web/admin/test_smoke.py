from app.domain.staff import Role
from tests.web.admin.desk import Desk, World


def test_pages(desk: Desk, world: World) -> None:
    bad = []
    for path in [
        "/admin/", "/admin/members", f"/admin/members/{world.member}", f"/admin/members/{world.other}",
        f"/admin/members/{world.member}/adjust", f"/admin/members/{world.member}/join",
        f"/admin/members/{world.member}/join?with=218", f"/admin/members/{world.member}/erase",
        f"/admin/members/{world.member}/data.json",
        "/admin/orders", "/admin/orders?show=held", f"/admin/orders/{desk.shop_key}/{world.order_ref}",
        f"/admin/orders/{desk.shop_key}/1041", f"/admin/orders/{desk.shop_key}/1040",
        "/admin/redemptions", f"/admin/redemptions/{world.redemption}/cancel",
        "/admin/deliveries", "/admin/deliveries?show=waiting", "/admin/deliveries?show=understood",
        f"/admin/deliveries/2026-11-22/{world.delivery}/body",
        "/admin/shops", f"/admin/shops/{desk.shop_key}", f"/admin/shops/{desk.shop_key}/counting",
        "/admin/program", "/admin/program/edit", "/admin/program/versions/1", "/admin/rewards",
        "/admin/staff", "/admin/staff/invite", "/admin/privacy", f"/admin/privacy/{world.request}/done",
    ]:
        try:
            desk.owner.get(path)
        except Exception as e:
            bad.append((path, repr(e)[-700:]))
    assert not bad, "\n".join(map(str, bad))
