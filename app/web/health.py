"""Is the process there, can it work, what waits. For load balancers and for whoever watches."""

import ipaddress

from flask import Response, abort, jsonify, request
from prometheus_client import CollectorRegistry, Gauge, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from app.services.check_health import check_health, read_queues
from app.web.here import runtime
from app.web.policy import Guarded, Policy

blueprint = Guarded("health", __name__, policy=Policy.PUBLIC)


@blueprint.get("/healthz")
def healthz() -> Response:
    """The process answers; nothing is asked of anything else."""
    return jsonify(status="alive")


@blueprint.get("/readyz")
def readyz() -> Response:
    """200 while this process can keep deliveries. A drain that lags is told, and is not this process's fault.

    What is wrong is told in a word: the sentences are for `laurel doctor` and the log.
    """
    health = check_health(runtime())
    response = jsonify(
        status="ready" if health.well else "late" if health.ready else "not ready",
        checks={check.name: "ok" if check.problem is None else "wrong" for check in health.checks},
    )
    response.status_code = 200 if health.ready else 503
    return response


@blueprint.get("/metrics")
def metrics() -> Response:
    """Figures for Prometheus, for neighbours only: what comes in through the public address gets 404."""
    if not _is_neighbour():
        abort(404)
    queues = read_queues(runtime())
    registry = CollectorRegistry()
    figures = {
        "laurel_delivery_age_seconds": ("Age of the oldest waiting delivery", queues.delivery_age_s),
        "laurel_job_age_seconds": ("Age of the oldest job that is due", queues.job_age_s),
        "laurel_frozen_programs": ("Programs in which nobody can spend points", queues.frozen),
        "laurel_open_reviews": ("Members that staff should look at", queues.open_reviews),
    }
    for name, (meaning, figure) in figures.items():
        Gauge(name, meaning, registry=registry).set(figure)
    counts = {
        "laurel_deliveries": ("Deliveries that wait or failed", queues.deliveries),
        "laurel_redemptions": ("Redemptions that are under way or open", queues.redemptions),
        "laurel_shops": ("Shops", queues.shops),
    }
    for name, (meaning, states) in counts.items():
        gauge = Gauge(name, meaning, ["state"], registry=registry)
        for state, count in states.items():
            gauge.labels(state).set(count)
    jobs = Gauge("laurel_jobs", "Jobs", ["queue", "state"], registry=registry)
    for (queue, state), count in queues.jobs.items():
        jobs.labels(queue, state).set(count)
    return Response(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


def _is_neighbour() -> bool:
    """Whether the caller is on this machine or network, and came straight here, not through a proxy."""
    if any(name in request.headers for name in ("Forwarded", "X-Forwarded-For", "Via")):
        return False
    try:
        address = ipaddress.ip_address(request.remote_addr or "")
    except ValueError:
        return False
    return address.is_loopback or address.is_private
