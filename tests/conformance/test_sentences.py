"""Runs the examples of sentences.toml: a shopper's sentence from stored facts alone, in every language."""

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from app.domain.explaining import sentence
from app.domain.ledger import EntryKind
from app.domain.words import LANGUAGES
from app.services.wording import words_in

_MARKS = re.compile("[\u2066-\u2069]")
EXAMPLES = tomllib.loads(Path(__file__).with_name("sentences.toml").read_text())["sentence"]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("example", EXAMPLES, ids=[one["says"] for one in EXAMPLES])
def test_the_sentence_is_so(example: Mapping[str, Any], language: str) -> None:
    words = words_in(language, example.get("unit"))
    said = sentence(EntryKind(example["kind"]), example["points"], example["facts"], words=words)
    assert _MARKS.sub("", said.replace("\u00a0", " ").replace("\u202f", " ")) == example[language]
