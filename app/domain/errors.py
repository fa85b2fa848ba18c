"""The two kinds of failure that are not bugs, and how they quote. Anything else is a bug: let it rise."""


def quoted(text: str) -> str:
    """A wrong number, time or code for a person to find again: “12.O0”. What holds words stays untold.

    Reasons are kept in clear and outlive an erasure, and anything may stand in a wrong field, an address too.
    """
    letters = sum(one.isalpha() for one in text)
    return f"“{text[:32]}”" if letters <= 3 and "@" not in text else f"a text of {len(text)} characters"


class Refused(Exception):
    """It will never work as it stands. `code` is stable and machine-readable, `detail` says what to do.

    `retry_after_s`: when it stands otherwise, where that is known.
    """

    def __init__(self, code: str, detail: str, *, retry_after_s: int | None = None) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail
        self.retry_after_s = retry_after_s


class Retryable(Exception):
    """It may work later. `retry_after_s`: how long the other side asked us to wait, if it did.

    `maybe_applied`: the request may have reached the shop and taken effect (a time-out, a broken
    connection, a 5xx): look before doing it again. False only where the shop surely did nothing.
    """

    def __init__(self, detail: str, *, retry_after_s: int | None = None, maybe_applied: bool = True) -> None:
        super().__init__(detail)
        self.detail = detail
        self.retry_after_s = retry_after_s
        self.maybe_applied = maybe_applied


class PutOff(Retryable):
    """What is more urgent comes first. No failure, and no try. `begun`: a part of the work may be done already."""

    def __init__(self, detail: str, *, retry_after_s: int, begun: bool = False) -> None:
        super().__init__(detail, retry_after_s=retry_after_s, maybe_applied=begun)
        self.wait_s = retry_after_s
        self.begun = begun


class AccessLost(Refused):
    """The shop no longer lets us in (revoked token, deleted key, missing scope): a person must reconnect."""

    def __init__(self, detail: str) -> None:
        super().__init__("access_lost", detail)
