"""In which words a program's numbers are told: the reader's language, and what its ledger counts."""

from app.db.session import Session
from app.domain.program import CountsIn
from app.domain.words import Words, known_language
from app.services.runtime import Runtime
from app.services.wording import words_in


def find_words(session: Session, language: str | None = "en") -> Words:
    """`language`: a tag; one that is not ours, or None, gives the program's own. `session` is of one program."""
    row = session.first(
        "SELECT document->>'language' AS language, document->>'counts_in' AS counts_in, "
        "document->>'currency' AS currency FROM program_versions WHERE {fence} ORDER BY version DESC LIMIT 1"
    )
    assert row is not None  # a program is made with its first version
    counted = row.currency if row.counts_in == CountsIn.MONEY else None
    return words_in(known_language(language) or row.language, counted)


def program_words(rt: Runtime, program_id: int, language: str | None = "en") -> Words:
    with rt.db.begin(program_id) as session:
        return find_words(session, language)
