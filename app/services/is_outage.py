"""Tells a database that is away from a bug of ours."""

from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout


def is_outage(error: BaseException) -> bool:
    """Whether the database could not be reached or was too busy: the same request may work later."""
    return isinstance(error, OperationalError | InterfaceError | PoolTimeout)
