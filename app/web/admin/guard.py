"""Who may come in: the session, the role, the form's token; and the headers of every page.

In a shop's own admin (`app.web.frames`) the platform's token stands for both the session and the form's token. A view
needs the role viewer to be read and staff to be sent to, unless it declares another with `needs`.
"""

import secrets
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

from flask import Flask, Response, abort, current_app, g, redirect, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFProtect, generate_csrf

from app.domain.errors import Refused
from app.domain.staff import Role
from app.services.check_frame import check_frame
from app.services.check_session import check_session
from app.services.find_visitor import Visitor
from app.web import frames
from app.web.clean import refuse_unclean_form
from app.web.here import runtime
from app.web.policy import Guarded, Policy

P = ParamSpec("P")
R = TypeVar("R")

COOKIE = "laurel_staff"
HOME = "/admin/"
blueprint = Guarded("admin", __name__, policy=Policy.STAFF, url_prefix="/admin")
_csrf = CSRFProtect()


def needs(role: Role) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Declare the least role a view is for."""

    def declared(view: Callable[P, R]) -> Callable[P, R]:
        view.laurel_role = role  # type: ignore[attr-defined]
        return view

    return declared


def role_for(app: Flask, endpoint: str, method: str) -> Role:
    declared: Role | None = getattr(app.view_functions[endpoint], "laurel_role", None)
    if declared is not None:
        return declared
    return Role.VIEWER if method in ("GET", "HEAD", "OPTIONS") else Role.STAFF


def register(app: Flask) -> None:
    _csrf.init_app(app)


def visitor() -> Visitor:
    """Who is signed in. Only within the guarded pages."""
    found: Visitor = g.visitor
    return found


def program_id() -> int:
    return visitor().program_id


@blueprint.before_request
def let_in() -> ResponseReturnValue | None:
    frame = frames.framed()
    found = _by_frame(frame) if frame else _by_session()
    if not isinstance(found, Visitor):
        return found
    g.visitor = found
    if not found.role.may(role_for(current_app, request.endpoint or "", request.method)):
        abort(403)
    refuse_unclean_form()
    if frame is None and frames.changes_something():
        check_form()
    return None


def _by_session() -> Visitor | ResponseReturnValue:
    if COOKIE not in request.cookies:
        return _to_door()
    return check_session(runtime(), request.cookies[COOKIE]) or _to_door()


def _by_frame(frame: frames.Framed) -> Visitor | ResponseReturnValue:
    """Raises: Refused. What changes something needs the bearer: an address may lie about, and be followed."""
    g.shell = frame.shell
    if frames.changes_something() and not frame.brings_bearer:
        raise Refused(
            "unproven", "Nothing was changed: this page needs scripts, and the frame that it is in."
        )
    found = check_frame(runtime(), frame.platform, frame.shop_ref, frame.asked())
    if isinstance(found, Visitor):
        return found
    return Response(found.html, status=found.status, headers=dict(found.headers))


def _to_door() -> ResponseReturnValue:
    if request.method == "GET" and "HX-Request" not in request.headers and len(request.full_path) < 500:
        session["next"] = request.full_path.rstrip("?")
    door = url_for("admin_door.ask")
    if "HX-Request" in request.headers:  # a fragment's place is no place for the sign-in page
        return Response(status=204, headers={"HX-Redirect": door})
    return redirect(door, 303)


def check_form() -> None:
    """The form came from a page of ours. Raises: CSRFError, a 400."""
    _csrf.protect()


def begin(token: str, max_age: int) -> Response:
    """Signed in: on to where they wanted to go, with the cookie and a fresh form token."""
    wanted = session.get("next", HOME)
    session.clear()
    response = redirect(wanted if _is_ours(wanted) else HOME, 303)
    assert isinstance(response, Response)
    response.set_cookie(
        COOKIE,
        token,
        max_age=max_age,
        path="/admin",
        httponly=True,
        secure=runtime().public_url.startswith("https://"),
        samesite="Lax",
    )
    return response


def _is_ours(path: Any) -> bool:
    return isinstance(path, str) and path.startswith("/admin") and "//" not in path and "\\" not in path


def nonce() -> str:
    """This answer's, for its script tags."""
    if "nonce" not in g:
        g.nonce = secrets.token_urlsafe(16)
    found: str = g.nonce
    return found


def secure(response: Response) -> Response:
    """Nothing runs or loads but what a page of the admin brings itself, and in a frame the platform's script; nobody
    frames it but the shop's own admin."""
    frame = frames.shell()
    ancestors = " ".join(frame.ancestors) if frame else "'none'"
    response.headers["Content-Security-Policy"] = (
        f"default-src 'none'; script-src 'nonce-{nonce()}' 'strict-dynamic'; style-src 'self'; "
        "img-src 'self' data:; connect-src 'self'; form-action 'self'; base-uri 'none'; object-src 'none'; "
        f"frame-ancestors {ancestors}"
    )
    response.headers["Cache-Control"] = "private, no-store"
    # The address of a framed document holds its token until our script has taken it away.
    response.headers["Referrer-Policy"] = "no-referrer" if frame else "same-origin"
    return response


blueprint.after_request(secure)


def tools() -> dict[str, Any]:
    """What every template may use."""
    frame = frames.framed()
    return {
        "visitor": g.get("visitor"),
        "nonce": nonce,
        "form_token": (lambda: "") if frame else generate_csrf,
        "shell": frames.shell(),
        "framing": frame.frame if frame else None,
        "Role": Role,
        "now": runtime().now(),
    }


blueprint.context_processor(tools)
