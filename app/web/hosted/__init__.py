"""A shop's page at ours, /my/<shop_key>/: for shops without a place for the element, for a link in a mail, and as an app.

`guard` knows the shop, who is signed in and whether an act comes from the page itself; `door` signs people in and out;
`api` is the storefront's own views behind the cookie; `pages` has the page and what makes it an app; `files` its scripts.
The page itself is the same for everybody, so that it may be kept on a device: what is somebody's comes by `api` alone.
"""

from flask import Flask

from app.web.hosted import api, door, files, guard, pages


def register(app: Flask) -> None:
    assert pages.__name__  # imported for its routes
    app.jinja_env.globals["page_file"] = (
        files.page_file
    )  # the plain pages of errors and of installing wear it too
    app.register_blueprint(files.blueprint)
    app.register_blueprint(guard.blueprint)
    app.register_blueprint(door.blueprint)
    app.register_blueprint(api.blueprint)
