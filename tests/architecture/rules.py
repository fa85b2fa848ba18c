"""The rules that no tool at hand knows. Each takes a tree and returns what breaks it, a line for each breach.

They take any tree, so that `test_rules_bite` can plant a breach in a small one and see it found.
"""

import ast
import re
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]

SEVEN = {"__init__", "install", "webhooks", "payloads", "mapping", "client", "codes"}
_NO_FLOAT = ("app/domain/**/*.py", "connectors/*/mapping.py", "connectors/*/payloads.py")
_NAMELESS = ("app/domain", "app/db", "app/services", "app/jobs", "app/web", "migrations")
_NOT_IN_TESTS = {"skip", "skipif", "skipIf", "SkipTest", "xfail", "importorskip", "sleep"}

# Short names and hosts of platforms, beside the names of the connectors' folders.
_NICKNAMES = ("woo", "myshopify", "wordpress")

_PLACES = re.compile(
    r"(?<![\w./-])/(?:work|root|farm|home/\w+|Users/\w+)/\w"  # folders of somebody's machine
    r"|\b(?:pypi\.org|pythonhosted\.org|registry\.npmjs\.org|deb\.debian\.org|debian\.org/debian)\b"
    r"|--(?:extra-)?index-url|--find-links",
    re.IGNORECASE,
)


def connectors(tree: Path) -> list[Path]:
    return sorted(init.parent for init in tree.glob("connectors/*/__init__.py"))


def floats(tree: Path) -> list[str]:
    """Money and points are whole numbers: no float, by literal, name or true division."""
    return [
        f"{path.relative_to(tree)}:{line}: {what}"
        for pattern in _NO_FLOAT
        for path in sorted(tree.glob(pattern))
        for line, what in floats_of(path.read_text())
    ]


def floats_of(source: str) -> Iterator[tuple[int, str]]:
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Constant(value=float() | complex() as value):
                yield node.lineno, f"the float {value}"
            case ast.Name(id="float"):
                yield node.lineno, "float"
            case ast.BinOp(op=ast.Div()) | ast.AugAssign(op=ast.Div()):
                yield node.lineno, "true division: // rounds down, and says so"
            case _:
                pass


def platform_names(tree: Path, allowed: Mapping[str, str]) -> list[str]:
    """The core knows no platform. `allowed`: path -> why it may name one all the same."""
    names = [path.name for path in connectors(tree)]
    word = re.compile(rf"{'|'.join(names) or '(?!)'}|\b(?:{'|'.join(_NICKNAMES)})\b", re.IGNORECASE)
    return [
        f"{path.relative_to(tree)}:{number}: {found.group()}"
        for folder in _NAMELESS
        for path in sorted((tree / folder).rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts and str(path.relative_to(tree)) not in allowed
        for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1)
        if (found := word.search(line))
    ]


def connectors_out_of_shape(tree: Path) -> list[str]:
    """Every connector has the same seven modules, so that who knows one knows all; a long one may be a package."""
    return [
        f"{path.relative_to(tree)}: {wrong} {', '.join(sorted(modules))}"
        for path in connectors(tree)
        for there in [_modules(path)]
        for wrong, modules in (("lacks", SEVEN - there), ("has besides", there - SEVEN))
        if modules
    ]


def _modules(package: Path) -> set[str]:
    return {file.stem for file in package.glob("*.py")} | {
        init.parent.name for init in package.glob("*/__init__.py")
    }


def untold_stories(tree: Path, stories: Iterable[str]) -> list[str]:
    """Every connector has a recorded body for every story."""
    return [
        f"tests/connectors/{path.name}/fixtures: nothing tells {story}"
        for path in connectors(tree)
        for story in stories
        if not list(tree.glob(f"tests/connectors/{path.name}/fixtures/*__{story}.json"))
    ]


def tests_that_look_away(tree: Path) -> list[str]:
    """No test is skipped, expected to fail, or waits for the clock."""
    return [
        f"{path.relative_to(tree)}:{line}: {name}"
        for path in sorted(tree.glob("tests/**/*.py"))
        for line, name in _names(path.read_text())
        if name in _NOT_IN_TESTS
    ]


def _names(source: str) -> Iterator[tuple[int, str]]:
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Attribute():
                yield node.lineno, node.attr
            case ast.Name():
                yield node.lineno, node.id
            case ast.alias():
                yield node.lineno, node.name
            case _:
                pass


def misnamed_services(tree: Path, shared: Mapping[str, str]) -> list[str]:
    """A module of services has a public function (or class) of its own name: the way in is found by its file.

    `shared`: module -> what it gives to several use cases, for modules that are no use case themselves.
    """
    return [
        f"{path.relative_to(tree)}: defines no public {path.stem}"
        for path in sorted(tree.glob("app/services/*.py"))
        if path.stem not in {"__init__", *shared}
        and path.stem.replace("_", "") not in _public(path.read_text())
    ]


def _public(source: str) -> set[str]:
    """Functions and classes at the top, in lower case and without underscores: ShopMemory is shop_memory."""
    tops = [node for node in ast.parse(source).body if isinstance(node, ast.FunctionDef | ast.ClassDef)]
    return {node.name.replace("_", "").lower() for node in tops if not node.name.startswith("_")}


def places(tree: Path, files: Iterable[Path]) -> list[str]:
    """Nothing names a folder of somebody's machine or where packages are fetched from."""
    return [
        f"{path.relative_to(tree)}:{number}: {found.group()}"
        for path in files
        for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1)
        if (found := _PLACES.search(line))
    ]


def tracked_files(tree: Path) -> list[Path]:
    """What git keeps, as far as it is text; this folder aside, which must spell what it forbids."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=tree, capture_output=True, check=True, text=True)
    paths = [tree / name for name in listed.stdout.split("\0") if name]
    here = Path(__file__).parent
    return [path for path in paths if path.is_file() and here not in path.parents and not _is_binary(path)]


def _is_binary(path: Path) -> bool:
    with path.open("rb") as file:
        return b"\0" in file.read(4096)
