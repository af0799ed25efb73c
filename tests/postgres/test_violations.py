"""Which unique index a write violates, on one server and on a cluster."""

import asyncpg
import pytest
from sqlalchemy.exc import IntegrityError

from todo_api.adapters.sqlalchemy.errors import violated_index

DUPLICATE = 'duplicate key value violates unique constraint "{}"'


@pytest.mark.parametrize("kind", [asyncpg.UniqueViolationError, asyncpg.InternalServerError])
@pytest.mark.parametrize(
    ("message", "index"),
    [
        (DUPLICATE.format("ix_tasks_of_series"), "ix_tasks_of_series"),
        (DUPLICATE.format("ix_tasks_of_series_102042"), "ix_tasks_of_series"),
        (DUPLICATE.format("pk_tasks_102042"), "pk_tasks"),
        ("doppelter Schlüsselwert verletzt Unique-Constraint »pk_lists_7«", "pk_lists"),
        (DUPLICATE.format("ix_others"), None),
    ],
)
def test_the_number_of_a_shard_is_ignored(kind: type[Exception], message: str, index: str | None) -> None:
    error = kind(message)
    assert violated_index(error) == violated_index(IntegrityError("INSERT", {}, error)) == index


@pytest.mark.parametrize("error", [asyncpg.CheckViolationError("pk_tasks"), ValueError("pk_tasks")])
def test_other_errors_violate_no_index(error: Exception) -> None:
    assert violated_index(error) is None
