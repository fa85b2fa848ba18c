"""Laurel's pages in the admin of a stand-in at an address of this machine, where no App Bridge can be loaded."""

from dataclasses import replace
from datetime import datetime

from connectors.base import AppCredentials, Connector, HttpSeam, InstallRequest, InstallStep, Page, Shell

_APP_BRIDGE = "/static/app-bridge.js"


def framed_by(connector: Connector, origin: str) -> Connector:
    """`connector`, with the stand-in at `origin` in the place of the platform's own admin and its script."""
    frame = connector.frame
    assert frame is not None

    def shell(shop_ref: str, app: AppCredentials) -> Shell:
        known = frame.shell(shop_ref, app)
        return replace(known, ancestors=(origin,), script=f"{origin}{_APP_BRIDGE}")

    def finish_install(
        request: InstallRequest, app: AppCredentials, http: HttpSeam, now: datetime
    ) -> InstallStep:
        step = connector.finish_install(request, app, http, now)
        if not isinstance(step, Page):
            return step
        known = frame.shell(frame.shop_named(request), app)
        headers = {**step.headers, "Content-Security-Policy": f"frame-ancestors {origin}"}
        return replace(step, headers=headers, html=step.html.replace(known.script, f"{origin}{_APP_BRIDGE}"))

    return replace(connector, frame=replace(frame, shell=shell), finish_install=finish_install)
