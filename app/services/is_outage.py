"""Tells a database that is away from a bug of ours."""

import psycopg
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

# Of sessions, and of what runs without one, straight by the driver.
_OUTAGES = (OperationalError, InterfaceError, PoolTimeout, psycopg.OperationalError, psycopg.InterfaceError)


def is_outage(error: BaseException) -> bool:
    """Whether the database could not be reached or was too busy: the same request may work later."""
    return isinstance(error, _OUTAGES)
