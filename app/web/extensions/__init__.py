"""What our pieces inside a platform's own pages ask: /extensions/<platform>/…

They run in a sandbox of the platform's, whose origin is nobody's, and prove each request by the platform's token alone.
`door` lets any origin read the answers, because no cookie and no network makes a stranger's page anybody there; `shopper`
is the storefront's own views behind that token; `till` is for staff who have a member before them; `automation` is asked
by the platform itself, which signs what it sends.
"""

from flask import Flask

from app.web.extensions import automation, shopper, till


def register(app: Flask) -> None:
    app.register_blueprint(shopper.blueprint)
    app.register_blueprint(till.blueprint)
    app.register_blueprint(automation.blueprint)
