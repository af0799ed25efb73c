"""Which database this is: what the service may not read, it does not warn of."""

from collections.abc import AsyncIterator
from typing import TypeAlias
from urllib.parse import urlsplit
from uuid import uuid4

import asyncpg
import pytest
from tests.domain.builders import NOW
from tests.pooler import direct

from todo_api.adapters.sqlalchemy.driver import DatabaseConfig
from todo_api.adapters.sqlalchemy.engine import create_engine
from todo_api.adapters.sqlalchemy.housekeeping import SqlAlchemyHousekeeping
from todo_api.application.housekeeping import HousekeepingService

Database: TypeAlias = "asyncpg.Connection[asyncpg.Record]"


@pytest.fixture
async def admin(migrated_database: str) -> AsyncIterator[Database]:
    """A connection to the server itself: a pooler would share one that has not the role."""
    connection = await asyncpg.connect(direct(migrated_database))
    yield connection
    await connection.close()


@pytest.fixture
async def role(admin: Database, migrated_database: str) -> AsyncIterator[str]:
    """An ordinary role, which later connections to the database have."""
    name, database = f"role_{uuid4().hex}", urlsplit(migrated_database).path[1:]
    await admin.execute(f"CREATE ROLE {name}")
    await admin.execute(f"GRANT ALL ON ALL TABLES IN SCHEMA public TO {name}")
    await admin.execute(f"ALTER DATABASE {database} SET role = {name}")
    yield name
    await admin.execute(f"ALTER DATABASE {database} RESET role")
    await admin.execute(f"DROP OWNED BY {name}; DROP ROLE {name}")


@pytest.fixture
async def house(migrated_database: str) -> AsyncIterator[SqlAlchemyHousekeeping]:
    engine = create_engine(DatabaseConfig(url=direct(migrated_database)))
    yield SqlAlchemyHousekeeping(engine)
    await engine.dispose()


async def test_an_ordinary_role_may_read_it(role: str, admin: Database, house: SqlAlchemyHousekeeping) -> None:
    system = await admin.fetchval("SELECT system_identifier FROM pg_control_system()")
    table = await admin.fetchval("SELECT 'database_identity'::regclass::oid")
    found = await house.identity()
    assert found
    assert (found.recorded, found.has_changed) == (found.present, False)
    assert found.present.startswith(f"system {system}, timeline ")
    assert found.present.endswith(f", table {table}")


@pytest.mark.parametrize(
    "refused",
    [
        "REVOKE EXECUTE ON FUNCTION pg_control_system() FROM PUBLIC",
        "REVOKE EXECUTE ON FUNCTION pg_current_wal_lsn() FROM PUBLIC",
        "REVOKE ALL ON database_identity FROM {role}",
    ],
)
async def test_there_is_no_warning_without_the_permission(
    role: str, refused: str, admin: Database, house: SqlAlchemyHousekeeping, caplog: pytest.LogCaptureFixture
) -> None:
    await admin.execute(refused.format(role=role))
    service = HousekeepingService(house, clock=lambda: NOW, trash_days=1, tombstone_days=1)

    assert await house.identity() is None
    await service.notice_restore()
    assert await service.invalidate_tokens() == 0
    await service.purge()

    assert caplog.records == []


async def test_there_is_one_identity(admin: Database, house: SqlAlchemyHousekeeping) -> None:
    await house.identity()
    for row in ("(true, 'another')", "(false, 'another')"):
        with pytest.raises(asyncpg.IntegrityConstraintViolationError):
            await admin.execute(f"INSERT INTO database_identity VALUES {row}")
