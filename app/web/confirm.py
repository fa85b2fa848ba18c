"""/confirm/<token>: the page behind a mailed link. Looking at it confirms nothing: mail programs look at links too."""

from flask import Response, make_response, render_template

from app.services.describe_shopfront import describe_shopfront
from app.services.prove_email import Proof, look_at_proof, prove_email
from app.services.wording import words_in
from app.web.errors import speaking
from app.web.here import runtime
from app.web.hosted.guard import DRESS, about
from app.web.languages import language
from app.web.policy import Guarded, Policy

blueprint = Guarded("confirm", __name__, policy=Policy.PUBLIC, url_prefix="/confirm")
speaking(blueprint, lambda: words_in(language()))


@blueprint.get("/<token>")
def ask(token: str) -> Response:
    return _page(look_at_proof(runtime(), token), done=False)


@blueprint.post("/<token>")
def confirm(token: str) -> Response:
    return _page(prove_email(runtime(), token), done=True)


def _page(proof: Proof, *, done: bool) -> Response:
    about(describe_shopfront(runtime(), proof.program_id, proof.shop_id, language()))
    response = make_response(render_template("hosted/confirm.html", page=proof.page, done=done, **DRESS))
    response.headers["Referrer-Policy"] = "no-referrer"  # the address holds the secret
    response.headers["X-Robots-Tag"] = "noindex"
    return response
