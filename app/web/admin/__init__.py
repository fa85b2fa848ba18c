"""The merchant's pages: server-rendered, a little htmx, one guard before all of them.

`guard` says who may come in, `door` lets people sign in, `answers` renders; the other modules are pages, one
subject each. Nothing here decides anything about points: a view parses, calls one service and renders.
"""

from flask import Flask

from app.web.admin import (
    assets,
    cards,
    connecting,
    deliveries,
    door,
    freezing,
    given_tiers,
    guard,
    home,
    look,
    member_acts,
    members,
    orders,
    people,
    privacy,
    program,
    redemptions,
    reviews,
    shop_acts,
    shop_people,
    shops,
    staff,
    words,
)

PAGES = (
    connecting,
    freezing,
    home,
    shops,
    shop_acts,
    shop_people,
    members,
    cards,
    member_acts,
    given_tiers,
    people,
    orders,
    deliveries,
    redemptions,
    reviews,
    program,
    look,
    staff,
    privacy,
)


def register(app: Flask) -> None:
    # Bound to the session, not to an hour: a page left open over lunch still works.
    app.config.update(WTF_CSRF_TIME_LIMIT=None, WTF_CSRF_CHECK_DEFAULT=False, WTF_CSRF_SSL_STRICT=False)
    words.register(app)
    members.register(app)
    assets.register(app)
    guard.register(app)
    assert all(page.__name__ for page in PAGES)  # imported for their routes
    app.register_blueprint(door.blueprint)
    app.register_blueprint(guard.blueprint)
