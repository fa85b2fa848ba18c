"""People who run a program, and what each may do."""

from enum import StrEnum


class Role(StrEnum):
    """From least to most: who may do something may do everything before it."""

    VIEWER = "viewer"  # reads everything, changes nothing
    STAFF = "staff"  # looks after members, orders, deliveries
    OWNER = "owner"  # also shops, program, staff, privacy

    @property
    def rank(self) -> int:
        return list(Role).index(self)

    def may(self, needed: "Role") -> bool:
        return self.rank >= needed.rank
