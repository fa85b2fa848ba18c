"""What a run found, as one document: figures, what disagreed, and whether all is well."""

import os
import platform
from collections import Counter
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

from app.services.audit import audit
from app.services.replay import replay
from sandbox.demo import books, checks
from sandbox.demo.once import Once

_SHOWN = 20


def run_and_report(once: Once) -> dict[str, Any]:
    """Do the whole run and say what came of it; `ok` is false if anything disagrees."""
    began, used = perf_counter(), process_time()
    wrong: dict[str, list[str]] = {}
    once.connect()
    once.live()
    arrived = checks.arrived(once.post, once.lives)
    with once.times.of("checking"):
        wrong["before reconciliation"] = checks.wrong_orders(once.world, arrived)
    explained = checks.explain(once.world, once.lives, once.reconcile())
    wrong["unexplained repairs"] = [_told(one) for one in explained if _is_unexplained(one)]
    once.clear_up()
    again = [repair for repair in once.reconcile() if repair.cause != "refund_lines"]
    wrong["drift after reconciliation"] = [f"{one.platform} {one.ref}: {one.detail}" for one in again]
    once.let_codes_expire()
    with once.times.of("checking"):
        wrong["orders"] = checks.wrong_orders(once.world, once.lives.placed)
        wrong["codes"] = checks.wrong_codes(once.world, once.lives)
        wrong["jobs"] = list(once.queue.failed)
        audited = audit(once.world.rt, once.world.program_id)
        counted = replay(once.world.rt, once.world.program_id)
        wrong["audit"] = [str(problem) for problem in audited.problems]
        wrong["replay"] = [str(problem) for problem in counted.differences]
    elapsed, used = perf_counter() - began, process_time() - used
    return {
        "ok": not any(wrong.values()),
        "wrong": {what: found[:_SHOWN] for what, found in wrong.items() if found},
        "orders": _orders(once, len(arrived)),
        "deliveries": _deliveries(once),
        "points": books.totals(once.world.rt, once.world.program_id),
        "codes": checks.code_states(once.world),
        "wishes": dict(sorted(once.redeemers.wishes.items())),
        "jobs": {"done": dict(sorted(once.queue.done.items())), "tried_again": once.queue.retried},
        "faults": _faults(once),
        "repairs": _repairs(explained),
        "audit": {"digest": audited.digest, "problems": len(audited.problems)},
        "replay": {"accounts": counted.accounts, "differences": len(counted.differences)},
        "speed": _speed(once, elapsed, used),
    }


def shown(report: dict[str, Any]) -> str:
    """The report for people."""
    speed, points, sent = report["speed"], report["points"], report["deliveries"]
    lines = [
        f"{report['orders']['placed']} orders, {points['members']} members, {points['outstanding']} points outstanding",
        f"{sent['sent']} deliveries sent, {sent['kept']} kept: {_list(sent['states'])}",
        *(f"codes at {platform}: {_list(states)}" for platform, states in report["codes"].items()),
        f"faults: {_list(report['faults'])}",
        f"repairs: {_list(report['repairs']['by_cause'])}",
        f"audit: {report['audit']['problems']} problems; counted anew: {report['replay']['differences']} differences",
        f"{speed['orders_per_second']} orders a second in all, {speed['orders_per_second_settling']} settling",
        *(f"WRONG {what}: {line}" for what, found in report["wrong"].items() for line in found),
        "Everything agrees." if report["ok"] else "Something disagrees.",
    ]
    return "\n".join(lines) + "\n"


def _list(counts: dict[str, int]) -> str:
    return ", ".join(f"{count} {what}" for what, count in counts.items()) or "none"


def _is_unexplained(one: checks.Explained) -> bool:
    return one.fault is None and not (one.repair.harmless and one.repair.points == 0)


def _told(one: checks.Explained) -> str:
    repair = one.repair
    return f"{repair.platform} {repair.subject} ({repair.ref}): {repair.cause}, {repair.points} points: {repair.detail}"


def _orders(once: Once, arrived: int) -> dict[str, Any]:
    return {
        "placed": len(once.lives.placed),
        "asked": once.wish.orders,
        "last_delivery_arrived": arrived,
        "lives": dict(sorted(once.lives.kinds.items())),
    }


def _deliveries(once: Once) -> dict[str, Any]:
    states, failed = books.deliveries(once.world.rt, once.world.program_id)
    return {
        "sent": sum(once.post.sent.values()),
        "answered": {str(status): n for status, n in sorted(once.post.answers.items())},
        "kept": sum(states.values()),
        "states": dict(sorted(states.items())),
        "failed": failed,
    }


def _faults(once: Once) -> dict[str, Any]:
    hit: Counter[str] = Counter()
    for stand in once.world.stands:
        hit.update(f"delivery: {record.kind}" for record in stand.store.deliveries.log)
        hit.update(f"API: {record.kind}" for record in stand.store.faults.log)
    hit.update(f"silent: {act.kind}" for act in once.lives.silent)
    return dict(sorted(hit.items()))


def _repairs(explained: list[checks.Explained]) -> dict[str, Any]:
    return {
        "by_cause": dict(sorted(Counter(one.repair.cause for one in explained).items())),
        "points": sum(one.repair.points for one in explained),
        "each": [
            {
                "shop": one.repair.platform,
                "subject": one.repair.subject,
                "cause": one.repair.cause,
                "points": one.repair.points,
                "fault": one.fault,
            }
            for one in explained
        ],
    }


def _speed(once: Once, elapsed: float, used: float) -> dict[str, Any]:
    settling = once.times.spent["settling"]
    orders = len(once.lives.placed)
    return {
        "machine": _machine(),
        "seconds": round(elapsed, 2),
        "processor_seconds": round(used, 2),  # of this process, without the database's
        "seconds_of": {what: round(spent, 2) for what, spent in once.times.spent.items()},
        "orders_per_second": round(orders / elapsed, 1),
        "orders_per_second_settling": round(orders / settling, 1) if settling else None,
        "deliveries_per_second_settling": round(sum(once.settled.values()) / settling, 1)
        if settling
        else None,
    }


def _machine() -> str:
    model = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.is_file():
        for line in cpuinfo.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                model = line.partition(":")[2].strip()
                break
    return f"{model}, {os.cpu_count()} processors, Python {platform.python_version()}"
