"""Every table of ours, as the migrations leave it (a test compares the two).

Each leads with `program_id`: primary keys, unique keys and foreign keys begin with it, so that rows of one
program can live together on one node, and so that row-level security can fence them. `UNFENCED` names those that
stand outside. No column names a platform; `shops.platform` holds a connector's name as data.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    ForeignKeyConstraint,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.schema import SchemaItem

from app.db.types import UtcDateTime

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

UNFENCED = frozenset({"directory", "unknown_shop_messages", "installation"})


def _program() -> Column[int]:
    return Column("program_id", BigInteger, nullable=False)


def _id() -> Column[int]:
    return Column("id", BigInteger, Identity(), nullable=False)


def _at(name: str, *, nullable: bool = False) -> Column[object]:
    return Column(name, UtcDateTime, nullable=nullable)


def _to(table: str, column: str, target: str = "id") -> ForeignKeyConstraint:
    return ForeignKeyConstraint(
        ["program_id", column],
        [f"{table}.program_id", f"{table}.{target}"],
        name=f"{column}_{table}",
    )


def _table(
    name: str, *items: SchemaItem, key: tuple[str, ...] = ("program_id", "id"), by_day: str | None = None
) -> Table:
    table = Table(name, metadata, _program(), *items, PrimaryKeyConstraint(*key))
    if by_day:
        table.dialect_options["postgresql"]["partition_by"] = f"RANGE ({by_day})"
    return table


# --- Outside the fence -------------------------------------------------------------------------------------

# Who something unguessable or world-unique belongs to: shop keys, shop refs, hashes of API keys, sessions, nonces.
directory = Table(
    "directory",
    metadata,
    Column("kind", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("program_id", BigInteger, nullable=False),
    Column("target_id", BigInteger, nullable=False),
    Column("details", JSONB, nullable=False, server_default=text("'{}'")),
    _at("expires_at", nullable=True),
    PrimaryKeyConstraint("kind", "key"),
    Index("ix_directory_program", "program_id", "kind"),
    Index("ix_directory_expiry", "expires_at", postgresql_where=text("expires_at IS NOT NULL")),
)

# Compliance messages of shops that we do not know: answered, kept, looked at by a person.
unknown_shop_messages = Table(
    "unknown_shop_messages",
    metadata,
    _id(),
    _at("received_at"),
    Column("platform", Text, nullable=False),
    Column("topic", Text, nullable=False),
    Column("shop_ref", Text, nullable=False),
    Column("body_hash", LargeBinary, nullable=False),
    Column("body", LargeBinary, nullable=False),
    PrimaryKeyConstraint("id"),
    UniqueConstraint("platform", "topic", "shop_ref", "body_hash"),
)

# The installation's own facts and sealed data keys.
installation = Table(
    "installation",
    metadata,
    Column("name", Text, nullable=False),
    Column("value", LargeBinary, nullable=False),
    PrimaryKeyConstraint("name"),
)

# --- Programs and shops ------------------------------------------------------------------------------------

programs = Table(
    "programs",
    metadata,
    Column("program_id", BigInteger, Identity(), nullable=False),
    Column("key", Text, nullable=False),
    Column("name", Text, nullable=False),
    _at("created_at"),
    Column("birthdays_until", Date, nullable=True),  # local days up to here have been looked at
    PrimaryKeyConstraint("program_id"),
)

program_versions = _table(
    "program_versions",
    Column("version", Integer, nullable=False),
    Column("document", JSONB, nullable=False),
    _at("published_at"),
    Column("published_by", Text, nullable=False),
    Column("note", Text, nullable=False, server_default=""),
    ForeignKeyConstraint(["program_id"], ["programs.program_id"]),
    key=("program_id", "version"),
)

shops = _table(
    "shops",
    _id(),
    Column("key", Text, nullable=False),
    Column("platform", Text, nullable=False),
    Column("shop_ref", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("url", Text, nullable=False),
    Column("currency", Text, nullable=False),
    Column("timezone", Text, nullable=False),
    Column("state", Text, nullable=False),  # connected, unchecked (--no-check), uninstalled
    Column("own_app", Boolean, nullable=False),  # its webhooks are signed with its own secret
    Column("credentials", LargeBinary, nullable=True),  # sealed
    Column("webhook_secrets", LargeBinary, nullable=True),  # sealed; newest first
    Column("widget_secret", LargeBinary, nullable=True),  # sealed
    Column("allow_private", Boolean, nullable=False, server_default=text("false")),
    Column("counts_test_orders", Boolean, nullable=False, server_default=text("false")),
    _at("counts_from"),
    _at("connected_at"),
    _at("uninstalled_at", nullable=True),
    Column("reads_orders_days", Integer, nullable=True),
    # Kinds of codes that its owner has not let us make: {kind: why, for the merchant}.
    Column("withheld", JSONB, nullable=False, server_default=text("'{}'")),
    _at("reconciled_until", nullable=True),  # orders changed up to here have been read
    _at("digested_at", nullable=True),  # the last complete nightly comparison
    _at("codes_checked_at", nullable=True),
    _at("lease_until", nullable=True),  # who renews the credentials
    Column("access_problem", Text, nullable=True),  # why a person must reconnect
    Column("webhooks", JSONB, nullable=False, server_default=text("'[]'")),  # subscriptions as last seen
    Column("companion", JSONB, nullable=True),  # our plugin in the shop, as last seen; none without one
    # Whether members' points and level stand at the shop's own customers: as fields, as tags.
    Column("shows_fields", Boolean, nullable=False, server_default=text("false")),
    Column("shows_tags", Boolean, nullable=False, server_default=text("false")),
    Column(
        "profile_ready", Boolean, nullable=False, server_default=text("false")
    ),  # its fields are defined there
    Column("profile_problem", Text, nullable=True),  # why nothing is written there for now
    Column(
        "staff_role", Text, nullable=True
    ),  # of whoever opens us in the shop's own admin; none: nobody new
    ForeignKeyConstraint(["program_id"], ["programs.program_id"]),
    CheckConstraint("state IN ('connected', 'unchecked', 'uninstalled')", name="state"),
)

# --- People ------------------------------------------------------------------------------------------------

accounts = _table(
    "accounts",
    _id(),
    Column("points", BigInteger, nullable=False, server_default=text("0")),
    Column("deficit", BigInteger, nullable=False, server_default=text("0")),
    Column("seq", Integer, nullable=False, server_default=text("0")),
    Column("head", LargeBinary, nullable=False),
    _at("last_active_at", nullable=True),  # of its entries; not indexed, since every order moves it
    Column("merged_into", BigInteger, nullable=True),
    _at("opened_at"),
    _at("closed_at", nullable=True),
    ForeignKeyConstraint(["program_id"], ["programs.program_id"]),
    CheckConstraint("deficit >= 0", name="deficit"),
    CheckConstraint("merged_into IS NULL OR closed_at IS NOT NULL", name="merged_is_closed"),
    Index(
        "ix_accounts_merged_into",
        "program_id",
        "merged_into",
        postgresql_where=text("merged_into IS NOT NULL"),
    ),
)

members = _table(  # id: the account's
    "members",
    Column("id", BigInteger, nullable=False),
    _at("joined_at"),
    Column("tier_key", Text, nullable=False),
    _at("tier_since", nullable=True),
    _at("erased_at", nullable=True),
    Column("lifetime_points", BigInteger, nullable=False, server_default=text("0")),
    Column("was_blocked", Boolean, nullable=False, server_default=text("false")),  # then `blocks` is asked
    Column("was_held", Boolean, nullable=False, server_default=text("false")),  # then `reviews` is asked
    Column("referral_code", Text, nullable=True),  # theirs to hand on; None: never asked for, or erased
    Column("card_serial", Integer, nullable=False, server_default=text("0")),  # how many cards there were
    Column("card_hash", LargeBinary, nullable=True),  # of the card that counts; None: none yet, or erased
    UniqueConstraint("program_id", "referral_code"),
    UniqueConstraint("program_id", "card_hash"),
    _to("accounts", "id"),
)

# Times in which a person earns nothing and cannot spend, because staff said so.
blocks = _table(
    "blocks",
    _id(),
    Column("member_id", BigInteger, nullable=False),
    _at("at"),
    Column("actor", Text, nullable=False),
    Column("reason", Text, nullable=False),
    _at("lifted_at", nullable=True),
    Column("lifted_by", Text, nullable=True),
    Column("lift_reason", Text, nullable=True),
    _to("members", "member_id"),
    Index("ix_blocks_member", "program_id", "member_id"),
    Index(
        "ix_blocks_open", "program_id", "member_id", unique=True, postgresql_where=text("lifted_at IS NULL")
    ),
)

# What was noticed of a member that a person should look at. Facts are counts and our own ids, nothing personal.
reviews = _table(
    "reviews",
    _id(),
    Column("member_id", BigInteger, nullable=False),  # as it was noticed: merges are followed
    _at("opened_at"),
    _at("held_at", nullable=True),  # since when their points wait; None: only watched
    Column("signals", JSONB, nullable=False),  # SignalKind -> what was counted
    _at("decided_at", nullable=True),
    Column("decision", Text, nullable=True),
    Column("block_id", BigInteger, nullable=True),  # the block that refusing made
    _to("members", "member_id"),
    CheckConstraint("decision IN ('allowed', 'refused')", name="decision"),
    CheckConstraint("(decision IS NULL) = (decided_at IS NULL)", name="decided"),
    Index("ix_reviews_member", "program_id", "member_id"),
    Index(
        "ix_reviews_open", "program_id", "member_id", unique=True, postgresql_where=text("decision IS NULL")
    ),
)

# Who decided what on a review, and took it back: one row each, never changed.
review_acts = _table(
    "review_acts",
    _id(),
    Column("review_id", BigInteger, nullable=False),
    Column("act", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("reason", Text, nullable=False),
    _at("at"),
    _to("reviews", "review_id"),
    CheckConstraint("act IN ('allowed', 'refused', 'undone')", name="act"),
    Index("ix_review_acts_review", "program_id", "review_id"),
)

# Day and month only, with the member's consent. `day_hash` finds those of a day without opening the others.
birthdays = _table(
    "birthdays",
    Column("member_id", BigInteger, nullable=False),
    Column("day", LargeBinary, nullable=False),  # sealed
    Column("day_hash", LargeBinary, nullable=False),
    Column("actor", Text, nullable=False),
    _at("told_at"),  # as it is now: what lies before is not paid
    _to("members", "member_id"),
    Index("ix_birthdays_day", "program_id", "day_hash"),
    key=("program_id", "member_id"),
)

identities = _table(
    "identities",
    _id(),
    Column("shop_id", BigInteger, nullable=False),
    Column("customer_ref", Text, nullable=False),
    Column("member_id", BigInteger, nullable=True),  # None: known, not (yet) a member
    Column("email_hash", LargeBinary, nullable=True),
    Column("mailbox_hash", LargeBinary, nullable=True),  # of all spellings that reach one mailbox
    Column("email_verified", Boolean, nullable=False, server_default=text("false")),
    Column("email", LargeBinary, nullable=True),  # sealed
    Column("name", LargeBinary, nullable=True),  # sealed
    _at("seen_at"),
    _at("proof_sent_at", nullable=True),
    _at("sign_in_sent_at", nullable=True),  # when a link to our own page was mailed last
    _at("gone_at", nullable=True),  # the shop made it one with another: no code can be bound to it
    Column("gone_into", BigInteger, nullable=True),  # with which one, as far as staff did not undo it
    UniqueConstraint("program_id", "shop_id", "customer_ref"),
    _to("shops", "shop_id"),
    _to("members", "member_id"),
    _to("identities", "gone_into"),
    Index("ix_identities_member", "program_id", "member_id"),
    Index("ix_identities_email", "program_id", "email_hash", postgresql_where=text("email_hash IS NOT NULL")),
    Index(
        "ix_identities_gone_into", "program_id", "gone_into", postgresql_where=text("gone_into IS NOT NULL")
    ),
    Index(
        "ix_identities_mailbox",
        "program_id",
        "mailbox_hash",
        postgresql_where=text("mailbox_hash IS NOT NULL"),
    ),
)

tier_changes = _table(
    "tier_changes",
    _id(),
    Column("member_id", BigInteger, nullable=False),
    Column("from_key", Text, nullable=False),
    Column("to_key", Text, nullable=False),
    Column("cause", Text, nullable=False),  # order, review, program, merge, manual
    _at("at"),
    _at("recorded_at"),
    _to("members", "member_id"),
    Index("ix_tier_changes_member", "program_id", "member_id"),
)

tier_floors = _table(
    "tier_floors",
    _id(),
    Column("member_id", BigInteger, nullable=False),
    Column("tier_key", Text, nullable=False),
    Column("cause", Text, nullable=False),  # grace, step, promise, manual
    _at("from_at"),
    _at("until_at", nullable=True),
    Column("actor", Text, nullable=True),  # these of a manual one
    Column("reason", Text, nullable=True),
    Column("request_key", Text, nullable=True),
    _at("ended_at", nullable=True),  # taken back before its time
    Column("ended_by", Text, nullable=True),
    UniqueConstraint("program_id", "member_id", "request_key"),
    _to("members", "member_id"),
    Index("ix_tier_floors_member", "program_id", "member_id"),
)

# Levels whose entry reward a member was given, once each. What the ledger holds for it is derived, as for an order.
tier_rewards = _table(
    "tier_rewards",
    _id(),
    Column("member_id", BigInteger, nullable=False),
    Column("tier_key", Text, nullable=False),
    Column("version", Integer, nullable=False),  # what it says of the level and the points stays
    _at("at"),
    UniqueConstraint("program_id", "member_id", "tier_key"),
    _to("members", "member_id"),
)

# A version that changed the levels: members are brought in line with it, a batch a transaction, by id.
tier_runs = _table(
    "tier_runs",
    Column("version", Integer, nullable=False),
    Column("before_version", Integer, nullable=False),  # what it promised is kept
    _at("asked_at"),
    Column("after_id", BigInteger, nullable=False, server_default=text("0")),  # done up to here
    Column("done", Integer, nullable=False, server_default=text("0")),
    Column("total", Integer, nullable=False),
    Column("moved", Integer, nullable=False, server_default=text("0")),
    Column("promised", Integer, nullable=False, server_default=text("0")),
    _at("finished_at", nullable=True),
    Index("ix_tier_runs_open", "program_id", unique=True, postgresql_where=text("finished_at IS NULL")),
    key=("program_id", "version"),
)

merges = _table(
    "merges",
    _id(),
    Column("winner_id", BigInteger, nullable=False),
    Column("loser_id", BigInteger, nullable=False),
    Column("identity_ids", JSONB, nullable=False),  # those that came from the loser
    Column("floor_ids", JSONB, nullable=False, server_default=text("'[]'")),  # recorded tiers that came along
    Column("cause", Text, nullable=False),
    Column("actor", Text, nullable=False),
    _at("at"),
    _at("undone_at", nullable=True),
    _to("accounts", "winner_id"),
    Index("ix_merges_loser", "program_id", "loser_id"),
)

adjustments = _table(
    "adjustments",
    _id(),
    Column("account_id", BigInteger, nullable=False),
    Column("points", BigInteger, nullable=False),
    Column("reason", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("request_key", Text, nullable=False),
    _at("at"),
    UniqueConstraint("program_id", "account_id", "request_key"),
    _to("accounts", "account_id"),
)

# What keeps an erased person from coming back: keyed hashes of an address or of (shop, customer ref).
tombstones = _table(
    "tombstones",
    Column("hash", LargeBinary, nullable=False),
    _at("erased_at"),
    key=("program_id", "hash"),
)

privacy_requests = _table(
    "privacy_requests",
    _id(),
    Column("shop_id", BigInteger, nullable=False),
    Column("kind", Text, nullable=False),  # data, erasure, shop_erasure
    Column("request_ref", Text, nullable=False),
    Column("member_id", BigInteger, nullable=True),
    _at("received_at"),
    _at("done_at", nullable=True),
    UniqueConstraint("program_id", "shop_id", "kind", "request_ref"),
    _to("shops", "shop_id"),
)

# --- The ledger --------------------------------------------------------------------------------------------

entries = _table(
    "entries",
    Column("account_id", BigInteger, nullable=False),
    Column("seq", Integer, nullable=False),
    Column("kind", Text, nullable=False),
    Column("points", BigInteger, nullable=False),
    Column("source", Text, nullable=False),
    Column("ordinal", Integer, nullable=False),
    _at("occurred_at"),
    _at("recorded_at"),
    _at("available_at"),
    _at("expires_at", nullable=True),
    Column("origin", Text, nullable=True),
    Column("ate", JSONB, nullable=False),
    Column("facts", JSONB, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    UniqueConstraint("program_id", "source", "account_id", "ordinal"),
    _to("accounts", "account_id"),
    CheckConstraint("points <> 0 AND abs(points) <= 1000000000000", name="points"),
    CheckConstraint("available_at >= recorded_at", name="available_at"),
    CheckConstraint("octet_length(hash) = 32", name="hash"),
    key=("program_id", "account_id", "seq"),
)

lots = _table(  # derived from entries; a cache that is checked
    "lots",
    Column("account_id", BigInteger, nullable=False),
    Column("seq", Integer, nullable=False),  # the credit's
    Column("remaining", BigInteger, nullable=False),
    Column("expired", BigInteger, nullable=False, server_default=text("0")),
    _at("available_at"),
    _at("expires_at", nullable=True),
    Column("origin", Text, nullable=False),
    CheckConstraint("remaining >= 0 AND expired >= 0", name="amounts"),
    Index("ix_lots_open", "program_id", "account_id", postgresql_where=text("remaining > 0")),
    Index("ix_lots_origin", "program_id", "origin", "account_id"),
    Index(
        "ix_lots_expiry",
        "program_id",
        "expires_at",
        postgresql_where=text("remaining > 0 AND expires_at IS NOT NULL"),
    ),
    key=("program_id", "account_id", "seq"),
)

# What the hourly audit has looked at: the account as it was then. Changed since, or long ago: to be looked at again.
audited = _table(
    "audited",
    Column("account_id", BigInteger, nullable=False),
    Column("seq", Integer, nullable=False),
    _at("at"),
    Index("ix_audited_at", "program_id", "at"),
    key=("program_id", "account_id"),
)

# Times in which a program's points could not be spent, because something in its ledger contradicts itself.
freezes = _table(
    "freezes",
    _id(),
    _at("at"),
    Column("problems", JSONB, nullable=False),  # [subject, what, detail] of each
    _at("lifted_at", nullable=True),
    Column("lifted_by", Text, nullable=True),
    Column("reason", Text, nullable=True),
    Index("ix_freezes_open", "program_id", unique=True, postgresql_where=text("lifted_at IS NULL")),
)

# --- Orders and deliveries ---------------------------------------------------------------------------------

orders = _table(
    "orders",
    _id(),
    Column("shop_id", BigInteger, nullable=False),
    Column("order_ref", Text, nullable=False),
    Column("identity_id", BigInteger, nullable=True),
    Column("member_id", BigInteger, nullable=True),  # the identity's, kept here to be found by
    Column("email_hash", LargeBinary, nullable=True),  # of guests only
    Column("snapshot", JSONB, nullable=False),
    _at("placed_at"),
    _at("updated_at"),
    _at("counted_at", nullable=True),  # its counting moment, while it has one
    Column("excluded", Text, nullable=True),  # before_start, test_order
    Column("held_reason", Text, nullable=True),  # cannot be counted yet, and why
    Column("terms_version", Integer, nullable=True),
    Column("terms_tier", Text, nullable=True),
    Column("known", JSONB, nullable=True),
    Column("target_points", BigInteger, nullable=False, server_default=text("0")),
    Column("facts", JSONB, nullable=False, server_default=text("'{}'")),  # the explanation of the target
    Column("spend", JSONB, nullable=True),  # what tiers look at, while it counts
    Column("reread_wanted", Integer, nullable=False, server_default=text("0")),
    Column("reread_done", Integer, nullable=False, server_default=text("0")),
    Column("reread_reason", Text, nullable=True),
    Column(
        "found_by", BigInteger, nullable=True
    ),  # the reconciliation that marked it: what is repaired is its
    _at("reread_at", nullable=True),  # not before
    Column("unreadable", Text, nullable=True),  # the shop cannot show it to us, and why
    _at("checked_at", nullable=True),  # last compared with the shop
    Column("digest", JSONB, nullable=True),  # its refunds as the shop listed them then: ref -> amount
    UniqueConstraint("program_id", "shop_id", "order_ref"),
    _to("shops", "shop_id"),
    Index("ix_orders_member", "program_id", "member_id", "counted_at"),
    Index("ix_orders_email", "program_id", "email_hash", postgresql_where=text("member_id IS NULL")),
    Index(
        "ix_orders_identity", "program_id", "identity_id", postgresql_where=text("identity_id IS NOT NULL")
    ),
    Index("ix_orders_reread", "program_id", "shop_id", postgresql_where=text("reread_wanted > reread_done")),
    Index("ix_orders_placed", "program_id", "shop_id", "placed_at"),
    Index("ix_orders_found", "program_id", "found_by", postgresql_where=text("found_by IS NOT NULL")),
)

# What another start of counting would do, asked for by staff and worked out by a job. Kept for a day.
previews = _table(
    "previews",
    _id(),
    Column("kind", Text, nullable=False),
    Column("shop_id", BigInteger, nullable=True),
    Column("asked", JSONB, nullable=False),
    _at("asked_at"),
    Column("looked_at", Integer, nullable=False, server_default=text("0")),
    Column("total", Integer, nullable=True),
    _at("finished_at", nullable=True),
    Column("problem", Text, nullable=True),
    Column("result", JSONB, nullable=True),  # until then: what it found so far
    _to("shops", "shop_id"),
)

# Orders to be read at the shop that we have never seen.
unseen_orders = _table(
    "unseen_orders",
    Column("shop_id", BigInteger, nullable=False),
    Column("order_ref", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("wanted", Integer, nullable=False),
    _at("marked_at"),
    _at("not_before", nullable=True),
    _to("shops", "shop_id"),
    key=("program_id", "shop_id", "order_ref"),
)

inbox = _table(
    "inbox",
    Column("received_on", Date, nullable=False),
    # Not an identity: those cannot stand on a partitioned table before PostgreSQL 17.
    Column("id", BigInteger, nullable=False, server_default=text("nextval('inbox_id'::regclass)")),
    Column("shop_id", BigInteger, nullable=False),
    _at("received_at"),
    Column("topic", Text, nullable=False),
    Column("delivery_ref", Text, nullable=False),
    Column("body_hash", LargeBinary, nullable=False),
    Column("body", LargeBinary, nullable=True),  # sealed; None once erased
    Column("state", Text, nullable=False, server_default="new"),  # new, done, ignored, stale, waiting, failed
    Column("reason", Text, nullable=True),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    _at("leased_until", nullable=True),
    _at("processed_at", nullable=True),
    Column("order_ref", Text, nullable=True),
    Column("customer_ref", Text, nullable=True),
    UniqueConstraint("program_id", "received_on", "shop_id", "topic", "body_hash", "delivery_ref"),
    Index("ix_inbox_new", "program_id", "id", postgresql_where=text("state = 'new'")),
    Index("ix_inbox_failed", "program_id", "id", postgresql_where=text("state = 'failed'")),
    Index(
        "ix_inbox_order", "program_id", "shop_id", "order_ref", postgresql_where=text("order_ref IS NOT NULL")
    ),
    key=("program_id", "received_on", "id"),
    by_day="received_on",
)

# --- Earning without an order of one's own -----------------------------------------------------------------

# Who was brought by whom. What both sides get is two activities that follow the friend's first order.
referrals = _table(
    "referrals",
    _id(),
    Column("referrer_id", BigInteger, nullable=False),
    Column("friend_id", BigInteger, nullable=False),
    Column("version", Integer, nullable=False),  # whose rule it is under
    Column("actor", Text, nullable=False),
    _at("at"),
    UniqueConstraint("program_id", "friend_id"),
    _to("members", "referrer_id"),
    _to("members", "friend_id"),
    Index("ix_referrals_referrer", "program_id", "referrer_id"),
    Index("ix_referrals_at", "program_id", "at"),
)

# What a member did, or what befell them; what it is worth is a target, as an order's is.
activities = _table(
    "activities",
    _id(),
    Column("member_id", BigInteger, nullable=False),  # as it was recorded: merges are followed
    Column("key", Text, nullable=False),  # of the rule
    Column("kind", Text, nullable=False),
    Column("version", Integer, nullable=False),  # whose rule it is under
    Column("slot", Text, nullable=True),  # what a person has once
    Column("referral_id", BigInteger, nullable=True),
    _at("occurred_at"),
    _at("recorded_at"),
    Column("actor", Text, nullable=False),
    Column("request_key", LargeBinary, nullable=True),  # keyed hash of the once-only key
    Column("request_hash", LargeBinary, nullable=True),
    Column("detail", LargeBinary, nullable=True),  # sealed; None once erased
    Column("zero", Text, nullable=True),  # earns nothing for this reason, fixed when it was first counted
    _at("qualified_at", nullable=True),  # of a referral: when the friend's order first was one that counts
    _at("taken_back_at", nullable=True),
    Column("taken_back_by", Text, nullable=True),
    Column("taken_back_reason", Text, nullable=True),
    Column("target_points", BigInteger, nullable=False, server_default=text("0")),
    Column("facts", JSONB, nullable=False, server_default=text("'{}'")),  # the explanation of the target
    UniqueConstraint("program_id", "request_key"),
    UniqueConstraint("program_id", "referral_id", "kind"),
    _to("members", "member_id"),
    _to("referrals", "referral_id"),
    CheckConstraint("target_points >= 0", name="target"),
    Index("ix_activities_member", "program_id", "member_id", "key"),
    Index("ix_activities_occurred", "program_id", "occurred_at"),
    Index(
        "ix_activities_slot",
        "program_id",
        "member_id",
        "slot",
        unique=True,
        postgresql_where=text("slot IS NOT NULL"),
    ),
)

# --- Spending ----------------------------------------------------------------------------------------------

redemptions = _table(
    "redemptions",
    _id(),
    Column("account_id", BigInteger, nullable=False),
    Column("shop_id", BigInteger, nullable=False),
    Column("identity_id", BigInteger, nullable=False),
    Column("reward_key", Text, nullable=False),
    Column("reward", JSONB, nullable=False),  # as it was when it was bought
    Column("cost", BigInteger, nullable=False),
    Column("code", Text, nullable=False),
    Column("code_key", Text, nullable=False),  # case-folded: platforms fold differently
    Column("code_ref", Text, nullable=True),
    Column("tag", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("request_key", Text, nullable=False),
    Column("request_hash", LargeBinary, nullable=False),
    Column("actor", Text, nullable=False),
    _at("requested_at"),
    _at("issued_at", nullable=True),
    _at("expires_at"),
    _at("closed_at", nullable=True),
    Column("order_id", BigInteger, nullable=True),  # the order that used it
    Column("closing", Text, nullable=True),  # cancel or expiry, while `cancelling`
    _at("dead_at", nullable=True),  # first seen absent at the shop, or without a use left
    Column(
        "unknown", Boolean, nullable=False, server_default=text("false")
    ),  # a try may have reached the shop
    Column("returned", BigInteger, nullable=False, server_default=text("0")),  # points given back
    # Of money that is used bit by bit, in the shop's. A balance that we keep: less what orders hold (`redemption_uses`),
    # below zero where they took more than there was. Else as last looked at; null: never.
    Column("left_minor", BigInteger, nullable=True),
    # What the code of such a balance was last brought to at the shop.
    Column("shop_minor", BigInteger, nullable=True),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    _at("next_try_at", nullable=True),
    Column("message", Text, nullable=True),  # what happened, in words, for people
    UniqueConstraint("program_id", "account_id", "request_key"),
    UniqueConstraint("program_id", "code_key"),
    _to("accounts", "account_id"),
    _to("shops", "shop_id"),
    CheckConstraint(
        "state IN ('requested', 'issued', 'used', 'cancelling', 'cancelled', 'expired', 'failed')",
        name="state",
    ),
    Index(
        "ix_redemptions_open",
        "program_id",
        "expires_at",
        postgresql_where=text("state IN ('requested', 'issued', 'cancelling')"),
    ),
    # How many of a reward are gone, by whom and when: bounded by its stock, or by what one member had.
    Index(
        "ix_redemptions_standing",
        "program_id",
        "reward_key",
        "account_id",
        "requested_at",
        postgresql_where=text("state IN ('requested', 'issued', 'used', 'cancelling')"),
    ),
    Index("ix_redemptions_identity", "program_id", "identity_id"),
    Index("ix_redemptions_requested", "program_id", "requested_at"),
    Index(
        "ix_redemptions_untold",
        "program_id",
        "shop_id",
        postgresql_where=text("shop_minor <> greatest(left_minor, 0)"),
    ),
    Index("ix_redemptions_order", "program_id", "order_id", postgresql_where=text("order_id IS NOT NULL")),
)

# What orders took of balances that we keep; from their snapshots, like points.
redemption_uses = _table(
    "redemption_uses",
    Column("redemption_id", BigInteger, nullable=False),
    Column("order_id", BigInteger, nullable=False),
    Column("taken_minor", BigInteger, nullable=False),  # 0: the shop does not count the use any more
    Column("back_minor", BigInteger, nullable=False),  # of it, what came back with the order's goods
    _at("at"),  # when it became so
    _to("redemptions", "redemption_id"),
    _to("orders", "order_id"),
    CheckConstraint("back_minor BETWEEN 0 AND taken_minor", name="back"),
    Index("ix_redemption_uses_order", "program_id", "order_id"),
    key=("program_id", "redemption_id", "order_id"),
)

# --- Reconciling -------------------------------------------------------------------------------------------

reconciliations = _table(
    "reconciliations",
    _id(),
    Column("shop_id", BigInteger, nullable=False),
    Column("kind", Text, nullable=False),  # changed, digests, webhooks, codes, profiles
    _at("started_at"),
    _at("finished_at", nullable=True),
    _at("since_at", nullable=True),
    _at("until_at", nullable=True),
    Column("looked_at", Integer, nullable=False, server_default=text("0")),
    Column("problem", Text, nullable=True),
    _at("paused_at", nullable=True),  # put off by itself, and to be gone on with at …
    Column("cursor", Text, nullable=True),  # … this place, where the kind has places
    _to("shops", "shop_id"),
    Index("ix_reconciliations_shop", "program_id", "shop_id", "kind"),
)

repairs = _table(
    "repairs",
    _id(),
    Column("reconciliation_id", BigInteger, nullable=False),
    Column("subject", Text, nullable=False),  # order:7, redemption:3, webhook:order.created, code:…
    Column("cause", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("points", BigInteger, nullable=False, server_default=text("0")),
    _at("at"),
    _to("reconciliations", "reconciliation_id"),
    Index("ix_repairs_run", "program_id", "reconciliation_id"),
)

# --- Reminders that points end: planned here, sent by whoever sends ----------------------------------------

reminders = _table(
    "reminders",
    _id(),
    Column("account_id", BigInteger, nullable=False),
    _at("ends_at"),
    Column("days_before", Integer, nullable=False),
    Column("points", BigInteger, nullable=False),
    _at("planned_at"),
    _at("sent_at", nullable=True),
    UniqueConstraint("program_id", "account_id", "ends_at", "days_before"),
    _to("accounts", "account_id"),
    Index("ix_reminders_unsent", "program_id", "planned_at", postgresql_where=text("sent_at IS NULL")),
)

# --- What shops say of products and customers beyond their orders ------------------------------------------

# Rows come to be when a rule asks; `read_at` None: not read yet, and orders wait for it.
product_facts = _table(
    "product_facts",
    Column("shop_id", BigInteger, nullable=False),
    Column("product_ref", Text, nullable=False),
    Column("groups", JSONB, nullable=False, server_default=text("'[]'")),
    Column("wanted", Boolean, nullable=False),
    _at("read_at", nullable=True),
    _to("shops", "shop_id"),
    Index("ix_product_facts_wanted", "program_id", "shop_id", postgresql_where=text("wanted")),
    key=("program_id", "shop_id", "product_ref"),
)

customer_facts = _table(
    "customer_facts",
    Column("identity_id", BigInteger, nullable=False),
    Column("shop_id", BigInteger, nullable=False),
    Column("tags", JSONB, nullable=False, server_default=text("'[]'")),
    Column("wanted", Boolean, nullable=False),
    _at("read_at", nullable=True),
    _to("identities", "identity_id"),
    Index("ix_customer_facts_wanted", "program_id", "shop_id", postgresql_where=text("wanted")),
    key=("program_id", "identity_id"),
)

# --- What stands of ours at shops' own customers ----------------------------------------------------------

# By the shop's own name of the customer: it outlives ours, until what stands there is taken back.
shop_profiles = _table(
    "shop_profiles",
    Column("shop_id", BigInteger, nullable=False),
    Column("customer_ref", Text, nullable=False),
    Column("mark", Integer, nullable=False, server_default=text("1")),  # counted up by each change
    _at("due_at", nullable=True),  # when it is to be written; none: it is right until something changes
    Column("known", Boolean, nullable=False, server_default=text("true")),  # false: a try may have changed it
    Column("fields", JSONB, nullable=False, server_default=text("'{}'")),
    Column("tags", JSONB, nullable=False, server_default=text("'[]'")),  # every one of ours that may be there
    _at("written_at", nullable=True),
    _at("checked_at", nullable=True),  # last compared with the shop
    _to("shops", "shop_id"),
    Index(
        "ix_shop_profiles_due", "program_id", "shop_id", "due_at", postgresql_where=text("due_at IS NOT NULL")
    ),
    key=("program_id", "shop_id", "customer_ref"),
)

# --- What merchants' automations begin with ----------------------------------------------------------------

# As the shop said last. What was said before a shop left is not in use, and an older word never overrides.
triggers = _table(
    "triggers",
    Column("shop_id", BigInteger, nullable=False),
    Column("trigger", Text, nullable=False),
    Column("in_use", Boolean, nullable=False),
    _at("said_at"),  # the shop's clock
    Column("told", Integer, nullable=False, server_default=text("0")),
    Column("lost", Integer, nullable=False, server_default=text("0")),  # nobody knows whether they arrived
    _at("told_at", nullable=True),
    Column("problem", Text, nullable=True),  # why the shop took the last one not
    _to("shops", "shop_id"),
    Index("ix_triggers_in_use", "program_id", "trigger", postgresql_where=text("in_use")),
    key=("program_id", "shop_id", "trigger"),
)

# Still to be told: gone once it was.
happenings = _table(
    "happenings",
    _id(),
    Column("shop_id", BigInteger, nullable=False),
    Column("trigger", Text, nullable=False),
    Column("member_id", BigInteger, nullable=False),
    Column("redemption_id", BigInteger, nullable=False, server_default=text("0")),  # 0: it is about none
    Column("points", BigInteger, nullable=False, server_default=text("0")),
    Column("from_key", Text, nullable=True),
    Column("to_key", Text, nullable=True),
    _at("happened_at"),
    _at("due_at"),
    _at("taken_at", nullable=True),  # about to be told, or nobody knows whether it was
    _to("shops", "shop_id"),
    _to("members", "member_id"),
    Index(
        "ix_happenings_waiting",
        *("program_id", "shop_id", "trigger", "member_id", "redemption_id"),
        unique=True,
        postgresql_where=text("taken_at IS NULL"),
    ),
    Index("ix_happenings_due", "program_id", "shop_id", "due_at"),
    Index("ix_happenings_member", "program_id", "member_id"),
)

# --- Jobs that will not be tried again --------------------------------------------------------------------

failed_jobs = _table(
    "failed_jobs",
    _id(),
    Column("name", Text, nullable=False),
    Column("args", JSONB, nullable=False),  # our ids only
    Column("code", Text, nullable=False),
    Column("detail", Text, nullable=False),
    _at("at"),
    Index("ix_failed_jobs_at", "program_id", "at"),
)

# --- People who run it -------------------------------------------------------------------------------------

# Known by an address, to which links are mailed, or by the shop whose own admin they come from.
staff = _table(
    "staff",
    _id(),
    Column("email", Text, nullable=True),
    Column("shop_id", BigInteger, nullable=True),
    Column("user_ref", Text, nullable=True),  # the platform's word for them; none once the shop is erased
    Column("name", Text, nullable=False),
    Column("role", Text, nullable=False),
    _at("invited_at"),
    _at("last_seen_at", nullable=True),
    _at("removed_at", nullable=True),
    UniqueConstraint("program_id", "email"),
    UniqueConstraint("program_id", "shop_id", "user_ref"),
    _to("shops", "shop_id"),
    CheckConstraint("(email IS NULL) <> (shop_id IS NULL)", name="known_by"),
)

api_keys = _table(
    "api_keys",
    _id(),
    Column("name", Text, nullable=False),
    _at("created_at"),
    _at("revoked_at", nullable=True),
    _at("last_used_at", nullable=True),
)
