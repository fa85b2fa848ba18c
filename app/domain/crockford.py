"""Codes that people read out and type: Crockford's base 32, in which nothing looks like something else."""

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

_LIKE = str.maketrans({"O": "0", "I": "1", "L": "1", "-": None, " ": None})


def as_typed(code: str) -> str:
    """The code that somebody meant, however they typed it."""
    return code.strip().upper().translate(_LIKE)


def written(value: bytes, length: int) -> str:
    """The first `length` characters of `value`, five bits each, the highest first."""
    number = int.from_bytes(value, "big")
    bits = 8 * len(value)
    return "".join(ALPHABET[(number >> (bits - 5 * place)) & 31] for place in range(1, length + 1))
