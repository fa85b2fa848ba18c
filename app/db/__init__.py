"""SQLAlchemy tables and queries: rows in, domain types out. Nothing here commits a use case."""
