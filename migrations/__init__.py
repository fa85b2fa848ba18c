"""Alembic's folder. Migrations are frozen SQL: they never import the code's tables."""
