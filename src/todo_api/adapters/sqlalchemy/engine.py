"""SQLAlchemy's engine, which Alembic runs the migrations with. The service itself uses asyncpg alone."""

from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from todo_api.adapters.sqlalchemy.driver import DatabaseConfig, connector


def create_engine(config: DatabaseConfig) -> AsyncEngine:
    """Return an engine that makes a connection whenever one is asked for, and keeps none.

    Raises:
        DatabaseUrlError: `config.url` is no URL of a PostgreSQL database.
    """
    return create_async_engine(
        "postgresql+asyncpg://",
        async_creator=connector(config),
        poolclass=NullPool,
        # Unnamed statements are sent along with their parameters, so a pooler may pick any server for each.
        connect_args={"prepared_statement_cache_size": 0, "prepared_statement_name_func": str},
        hide_parameters=True,  # what people write does not belong into error messages
    )
