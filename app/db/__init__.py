"""SQLAlchemy and PostgreSQL: rows in, domain types out. Nothing here commits, but `session` and `inbox.Keeping`."""
