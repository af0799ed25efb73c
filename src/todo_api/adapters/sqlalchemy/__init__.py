"""Storage in PostgreSQL: statements made with SQLAlchemy Core, run on asyncpg."""
