"""What `make test-faults` needs for each new migration; these tests are part of `make test`."""

import asyncio

import asyncpg
import pytest
from alembic import command
from alembic.script import ScriptDirectory
from tests.conftest import alembic_config
from tests.faults.earlier import FILL, STATEMENTS, EarlierService
from tests.pooler import direct

from todo_api.adapters.sqlalchemy.schema import REVISION

REVISIONS = {script.revision for script in ScriptDirectory.from_config(alembic_config(None)).walk_revisions()}


def test_every_earlier_revision_has_its_statements() -> None:
    missing = sorted(REVISIONS - {REVISION} - set(STATEMENTS))
    assert not missing, (
        f"add the statements of the service at {', '.join(missing)} to STATEMENTS in tests/faults/earlier.py: "
        "`make test-faults` runs them while the database is migrated from there"
    )
    unknown = sorted(set(STATEMENTS) - REVISIONS)
    assert not unknown, f"tests/faults/earlier.py has statements of revisions that do not exist: {unknown}"


@pytest.mark.parametrize("revision", STATEMENTS)
def test_earlier_statements_work_before_and_after_the_migration(fresh_database: str, revision: str) -> None:
    config = alembic_config(fresh_database)
    command.upgrade(config, revision)
    asyncio.run(run_statements(fresh_database, revision, FILL.format(tasks=100)))
    command.upgrade(config, "head")
    asyncio.run(run_statements(fresh_database, revision))


async def run_statements(url: str, revision: str, *before: str) -> None:
    earlier = EarlierService(url, revision)
    connection = await asyncpg.connect(direct(url))
    for statement in before:
        await connection.execute(statement)
    await earlier.run_once(connection, "user-0")
    await connection.close()
    assert not +earlier.failures, f"the service at {revision} could not go on: {earlier.failures}"
