"""The constraints of the database refuse invalid rows."""

from typing import Any, TypeAlias
from uuid import uuid4

import asyncpg
import pytest
from sqlalchemy.exc import IntegrityError
from tests.domain.builders import NOW, a_task, later

from todo_api.adapters.sqlalchemy.mapping import to_row
from todo_api.adapters.sqlalchemy.task_repository import SqlAlchemyTaskRepository

Database: TypeAlias = "asyncpg.Connection[asyncpg.Record]"

NEVER_NULL = ("id", "title", "title_key", "completed", "created_at", "updated_at", "revision")


async def insert(database: Database, owner: str, **changes: Any) -> None:
    row = {**to_row(a_task(owner)), "revision": 1, **changes}
    places = ", ".join(f"${number}" for number in range(1, len(row) + 1))
    await database.execute(f"INSERT INTO tasks ({', '.join(row)}) VALUES ({places})", *row.values())


async def add_user(database: Database, user_id: str | None, revision: int | None = 1) -> None:
    await database.execute("INSERT INTO users VALUES ($1, $2, $3)", user_id, revision, NOW)


@pytest.mark.parametrize(
    ("changes", "broken"),
    [
        ({"title": ""}, "ck_tasks_title_length"),
        ({"title": "x" * 501}, "ck_tasks_title_length"),
        ({"description": "x" * 10_001}, "ck_tasks_description_length"),
        ({"completed": True}, "ck_tasks_completed_at_iff_completed"),
        ({"completed_at": NOW}, "ck_tasks_completed_at_iff_completed"),
        ({"due_at": NOW}, "ck_tasks_due_at_iff_due_kind"),
        ({"due_kind": "date"}, "ck_tasks_due_at_iff_due_kind"),
        ({"due_at": NOW, "due_kind": "someday"}, "ck_tasks_due_kind_known"),
        ({"updated_at": later(-1)}, "ck_tasks_updated_at_after_created_at"),
        ({"revision": 0}, "ck_tasks_revision_positive"),
        *(({name: None}, name) for name in NEVER_NULL),
        pytest.param({"user_id": None}, "user_id", marks=pytest.mark.one_server),
    ],
    ids=lambda value: value if isinstance(value, str) else ",".join(value),
)
async def test_an_invalid_task_row_is_refused(
    database: Database, user_id: str, changes: dict[str, Any], broken: str
) -> None:
    await add_user(database, user_id)
    with pytest.raises(asyncpg.IntegrityConstraintViolationError, match=rf'"{broken}"'):
        await insert(database, user_id, **changes)


async def test_the_repository_does_not_retry_a_task_that_breaks_a_promise(
    postgres_repository: SqlAlchemyTaskRepository, user_id: str
) -> None:
    with pytest.raises(IntegrityError):
        await postgres_repository.add(a_task(user_id, title=""))


@pytest.mark.parametrize(
    ("values", "broken"),
    [
        (("", 1), "ck_users_id_length"),
        (("x" * 256, 1), "ck_users_id_length"),
        (("x", 0), "ck_users_revision_positive"),
        pytest.param((None, 1), "id", marks=pytest.mark.one_server),
        (("x", None), "revision"),
    ],
)
async def test_an_invalid_user_row_is_refused(
    database: Database, values: tuple[str | None, int | None], broken: str
) -> None:
    with pytest.raises(asyncpg.IntegrityConstraintViolationError, match=rf'"{broken}"'):
        await add_user(database, *values)


async def test_a_task_needs_a_user(database: Database, user_id: str) -> None:
    with pytest.raises(asyncpg.ForeignKeyViolationError):
        await insert(database, user_id)


async def test_task_ids_are_unique_for_each_user(database: Database, user_id: str) -> None:
    await add_user(database, user_id)
    task_id = uuid4()
    await insert(database, user_id, id=task_id)
    with pytest.raises(asyncpg.UniqueViolationError):
        await insert(database, user_id, id=task_id)
    with pytest.raises(asyncpg.UniqueViolationError):
        await add_user(database, user_id)


async def test_tasks_go_with_their_user_and_no_others(
    database: Database, postgres_repository: SqlAlchemyTaskRepository, user_id: str
) -> None:
    others = f"{user_id}-other"
    for owner in (user_id, others):
        await postgres_repository.add(a_task(owner))

    await database.execute("DELETE FROM users WHERE id = $1", user_id)

    left = await database.fetch("SELECT user_id FROM tasks WHERE user_id = ANY($1)", [user_id, others])
    assert [row["user_id"] for row in left] == [others]
