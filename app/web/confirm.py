"""/confirm/<token>: the page behind a mailed link. Looking at it confirms nothing: mail programs look at links too."""

from flask import Response, make_response, render_template

from app.services.prove_email import Proof, look_at_proof, prove_email
from app.web.here import runtime
from app.web.policy import Guarded, Policy

blueprint = Guarded("confirm", __name__, policy=Policy.PUBLIC, url_prefix="/confirm")


@blueprint.get("/<token>")
def ask(token: str) -> Response:
    return _page(look_at_proof(runtime(), token), done=False)


@blueprint.post("/<token>")
def confirm(token: str) -> Response:
    return _page(prove_email(runtime(), token), done=True)


def _page(proof: Proof, *, done: bool) -> Response:
    response = make_response(
        render_template("confirm.html", shop_name=proof.shop_name, page=proof.page, done=done)
    )
    response.headers["Referrer-Policy"] = "no-referrer"  # the address holds the secret
    response.headers["X-Robots-Tag"] = "noindex"
    return response
