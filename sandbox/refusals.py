"""What a shop says no to; the same words for both stand-ins."""


class CodeRefused(Exception):
    """The checkout refuses a code; the text is what the shopper reads."""


class Impossible(Exception):
    """The shop refuses a person's act, as the real one would."""
