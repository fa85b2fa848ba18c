"""What werkzeug and Jinja compile for each application, compiled once: nearly every test of a page makes one anew."""

from types import CodeType
from typing import Any

from flask import Flask
from jinja2 import BytecodeCache
from jinja2.bccache import Bucket
from werkzeug.routing import Rule

# Of a rule without defaults they follow from its text alone, and no converter of ours asks the map that it was made for.
_COMPILED = ("_parts", "_trace", "_converters")


class Templates(BytecodeCache):
    """In memory: Jinja itself looks whether a template is still the one that was compiled."""

    def __init__(self) -> None:
        self._code: dict[str, tuple[str, CodeType]] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        checksum, code = self._code.get(bucket.key, ("", None))
        if checksum == bucket.checksum:
            bucket.code = code

    def dump_bytecode(self, bucket: Bucket) -> None:
        if bucket.code is not None:
            self._code[bucket.key] = (bucket.checksum, bucket.code)


def remember_what_is_compiled() -> None:
    Flask.jinja_options = {**Flask.jinja_options, "bytecode_cache": Templates()}
    compile_rule = Rule.compile
    made: dict[tuple[Any, ...], Rule] = {}

    def compile_once(self: Rule) -> None:
        key = (self.rule, self.subdomain, self.host, self.merge_slashes)
        before = made.get(key)
        if self.defaults or before is None:
            compile_rule(self)
            if not self.defaults:
                made[key] = self
            return
        for name in _COMPILED:
            setattr(self, name, getattr(before, name))
        self.arguments = before.arguments.copy()
        self._build = before._build.__func__.__get__(self, None)  # type: ignore[attr-defined]
        self._build_unknown = before._build_unknown.__func__.__get__(self, None)  # type: ignore[attr-defined]

    Rule.compile = compile_once  # type: ignore[method-assign]
