"""Installing, one view for all platforms: the merchant agrees at the shop, and comes back."""

from flask import Response, make_response, redirect, render_template, request

from app.domain.errors import Refused
from app.services.begin_install import Sent, begin_install, get_connector
from app.services.check_frame import finds_shop
from app.services.connect_shop import ConnectedShop
from app.services.finish_install import KeysKept, NotAgreed, finish_install
from app.services.invite_shop import find_invitation
from app.web.clean import refuse_unclean_form
from app.web.frames import home
from app.web.headers import STRICT
from app.web.here import runtime
from app.web.policy import Guarded, Policy
from connectors.base import Connector, InstallRequest, Page

blueprint = Guarded("install", __name__, policy=Policy.SIGNATURE, url_prefix="/install")
blueprint.before_request(refuse_unclean_form)

_COOKIE = "laurel_install"
_TEN_MINUTES_S = 600
# A form that is answered with a redirect to the shop's own page, wherever that is.
_TO_A_SHOP = STRICT.replace("form-action 'self'", "form-action 'self' https:")


@blueprint.get("/<platform>")
def begin(platform: str) -> Response:
    """Without a shop: the page that asks for it. With an invitation: the page that names what is agreed to."""
    rt = runtime()
    connector = get_connector(rt, platform)
    token = request.args.get("invitation")
    asks_first = not connector.app_signed and "url" not in request.args
    if token is None and not asks_first:
        asked = _install_request()
        return _opened(connector, asked) or _begun(platform, asked, None)
    return _page(
        "install_begin.html",
        connector=connector,
        invitation=find_invitation(rt, token) if token else None,
        token=token,
    )


@blueprint.post("/<platform>")
def agree(platform: str) -> Response:
    """The page's form. A form of another site is refused: nobody agrees without having read."""
    if request.headers.get("Sec-Fetch-Site", "same-origin") != "same-origin" or not _is_ours(
        request.headers.get("Origin")
    ):
        raise Refused("not_allowed", "Use the form on our own page.")
    token = request.form.get("invitation")
    if token:
        find_invitation(runtime(), token)
    return _begun(platform, _form_request(), token or None)


@blueprint.route("/<platform>/callback", methods=["GET", "POST"])
def callback(platform: str) -> Response:
    answer = finish_install(runtime(), platform, _install_request(), browser=request.cookies.get(_COOKIE))
    match answer:
        case KeysKept():
            return Response(status=200, mimetype="text/plain")
        case NotAgreed(back=str() as back):
            return _left(f"{back}{'&' if '?' in back else '?'}laurel=denied")
        case NotAgreed():
            return _page("install_denied.html", platform=platform)
        case _:
            return _shown(answer)


@blueprint.after_request
def frame(response: Response) -> Response:
    """What goes wrong while the shop's admin opens us is said there, not hidden by the browser."""
    connector = runtime().connectors.get((request.view_args or {}).get("platform", ""))
    if connector is None or connector.frame is None or "Content-Security-Policy" in response.headers:
        return response
    try:
        shell = connector.frame.shell(
            connector.frame.shop_named(_install_request()), runtime().app_of(connector.name)
        )
    except Refused:
        return response
    response.headers["Content-Security-Policy"] = STRICT.replace(
        "frame-ancestors 'none'", f"frame-ancestors {' '.join(shell.ancestors)}"
    )
    return response


def _opened(connector: Connector, asked: InstallRequest) -> Response | None:
    """Straight to the pages in the frame, where there is nothing to install."""
    if connector.frame is None:
        return None
    shop_ref = connector.frame.shop_named(asked)
    if not finds_shop(runtime(), connector.name, shop_ref, asked):
        return None
    return _to_frame(connector.name, shop_ref)


def _to_frame(platform: str, shop_ref: str) -> Response:
    """With the token that this request came with: the page takes it out of its address."""
    query = request.query_string.decode("latin-1")
    response = make_response(redirect(home(platform, shop_ref) + (f"?{query}" if query else ""), code=303))
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


def _begun(platform: str, asked: InstallRequest, invitation: str | None) -> Response:
    back = (asked.query.get("back") or (None,))[0]
    answer = begin_install(runtime(), platform, asked, invitation=invitation, back=back)
    if not isinstance(answer, Sent):
        return _shown(answer)
    response = make_response(redirect(answer.url, code=303))
    response.set_cookie(
        _COOKIE,
        answer.browser,
        max_age=_TEN_MINUTES_S,
        path="/install",
        secure=runtime().public_url.startswith("https://"),
        httponly=True,
        samesite="Lax",
    )
    return response


def _shown(answer: ConnectedShop | Page) -> Response:
    if isinstance(answer, Page):
        return Response(answer.html, status=answer.status, headers=dict(answer.headers))
    if answer.back is not None:
        return _left(answer.back)
    if runtime().connectors[answer.platform].frame is not None:
        return _to_frame(answer.platform, answer.facts.shop_ref)
    response = _page("install_done.html", connected=answer)
    response.delete_cookie(_COOKIE, path="/install")
    return response


def _left(back: str) -> Response:
    """To the shop's own page, done here."""
    response = make_response(redirect(back, code=303))
    response.delete_cookie(_COOKIE, path="/install")
    return response


def _page(template: str, **values: object) -> Response:
    response = make_response(render_template(template, **values))
    response.headers["Content-Security-Policy"] = _TO_A_SHOP
    return response


def _install_request() -> InstallRequest:
    """The request as data. Its address is our public one: what a proxy in front made of it is nobody's business."""
    text = request.query_string.decode("latin-1")
    return InstallRequest(
        method=request.method,
        url=f"{runtime().public_url}{request.path}" + (f"?{text}" if text else ""),
        query={name: tuple(values) for name, values in request.args.lists()},
        headers=_headers(),
        body=request.get_data(),
    )


def _form_request() -> InstallRequest:
    """Our own form, as if its fields had stood in the address."""
    return InstallRequest(
        method="GET",
        url=f"{runtime().public_url}{request.path}",
        query={name: tuple(values) for name, values in request.form.lists() if name != "invitation"},
        headers=_headers(),
        body=b"",
    )


def _headers() -> dict[str, str]:
    return {name.lower(): value for name, value in request.headers.items()}


def _is_ours(origin: str | None) -> bool:
    return origin is None or origin == runtime().public_url
