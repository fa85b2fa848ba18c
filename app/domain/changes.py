"""What a delivery means to us. Only a connector's `normalise` makes these."""

from dataclasses import dataclass

from app.domain.orders import OrderSnapshot


@dataclass(frozen=True, slots=True)
class OrderChanged:
    """A full order. `reread`: settle it now, and read it at the shop as well (a refund without its lines)."""

    order: OrderSnapshot
    reread: bool = False


@dataclass(frozen=True, slots=True)
class OrderToReread:
    """Something happened to this order, but the message does not hold all of it."""

    order_ref: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerFacts:
    """A customer with an account at the shop. `email_verified`: the platform itself vouches for the address."""

    customer_ref: str
    email: str | None
    email_verified: bool
    name: str | None
    tags: tuple[str, ...] | None = None  # how the shop sorts its customers: tags, or the role; None: not told


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductFacts:
    """What a shop sorts a product into. `collections`: the shop's own ids, of categories with those above them."""

    product_ref: str
    collections: tuple[str, ...]
    tags: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CustomerSeen:
    customer: CustomerFacts


@dataclass(frozen=True, slots=True)
class CustomerTagsChanged:
    """The shop sorts this customer otherwise now; how, is to be read there."""

    customer_ref: str


@dataclass(frozen=True, slots=True)
class CustomersMerged:
    """The platform made two customers one; `deleted_ref` is no more."""

    kept_ref: str
    deleted_ref: str


@dataclass(frozen=True, slots=True)
class CodeGone:
    """A discount code was deleted or switched off at the shop. `code_ref`: the platform's id; check it is ours."""

    code_ref: str


@dataclass(frozen=True, slots=True)
class AccessChanged:
    """The shop's owner granted us more, or took something back: what we may do is to be asked."""


@dataclass(frozen=True, slots=True)
class ShopUninstalled:
    pass


@dataclass(frozen=True, slots=True)
class DataRequested:
    """A person asks what is stored about them. `request_ref` is the platform's id of that wish."""

    customer_ref: str
    request_ref: str


@dataclass(frozen=True, slots=True)
class ErasureRequested:
    """A person is to be forgotten. `email` for those who only ever ordered as guests; they may have no ref at all."""

    customer_ref: str | None
    order_refs: tuple[str, ...]
    email: str | None


@dataclass(frozen=True, slots=True)
class ShopErasureRequested:
    """48 hours after the uninstall: forget everybody we know through this shop."""


@dataclass(frozen=True, slots=True)
class Ignored:
    """Understood, and nothing to do. `reason` is stored: "why did nothing happen?" has an answer."""

    reason: str


Change = (
    OrderChanged
    | OrderToReread
    | CustomerSeen
    | CustomerTagsChanged
    | CustomersMerged
    | CodeGone
    | AccessChanged
    | ShopUninstalled
    | DataRequested
    | ErasureRequested
    | ShopErasureRequested
    | Ignored
)
