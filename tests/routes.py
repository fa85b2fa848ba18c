"""Routes that were compiled once: each test makes applications of its own, and most of the time that took went there."""

from collections.abc import Callable
from typing import Any

from werkzeug.routing import Rule


def remember_routes() -> None:
    """What builds a route's address is made from its parts alone; made once, it serves every application."""
    compile_builder = Rule._compile_builder
    made: dict[tuple[Any, ...], Callable[..., tuple[str, str]]] = {}

    def remembered(self: Rule, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:
        if self.defaults:
            return compile_builder(self, append_unknown)
        key = (self.rule, tuple(self._trace), append_unknown)
        if key not in made:
            made[key] = compile_builder(self, append_unknown)
        return made[key]

    Rule._compile_builder = remembered  # type: ignore[method-assign]
