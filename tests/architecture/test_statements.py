"""Each statement names the user of every table that it touches, so that tables can be distributed by user."""

from collections.abc import Iterable
from functools import _lru_cache_wrapper
from itertools import chain

import pytest
from tests.architecture.statements import BUILDERS, Reference, modules, references, statements, text

from todo_api.adapters import sqlalchemy as adapter

# Statements that ask for several users, and why.
OF_SEVERAL_USERS = {
    "change_poller.REVISIONS": "the feed asks for all users who have listeners, in one round trip",
    "housekeeping._USERS": "the first step of `todo-api invalidate-tokens` finds the users",
    "housekeeping._RAISE_REVISIONS": "`todo-api invalidate-tokens` writes some users at once",
    "housekeeping._WITHOUT_WORDS": "housekeeping finds the tasks of all users that earlier versions wrote",
    "purges.TRASH.owners": "the first step of a purge finds the users",
    "purges.TOMBSTONES.owners": "the first step of a purge finds the users",
    "purges.KEYS.owners": "the first step of a purge finds the users",
}


def users_of(found: Iterable[Reference]) -> list[str | None]:
    return [each.user for each in found]


def test_each_statement_names_its_user_for_each_table() -> None:
    wrong = {}
    for name, statement in statements():
        found = list(references(text(statement)))
        if name not in OF_SEVERAL_USERS and (
            len({each.user for each in found}) > 1 or None in {each.user for each in found}
        ):
            wrong[name] = found
    assert wrong == {}


def test_only_statements_of_several_users_are_excepted() -> None:
    several = {name for name, statement in statements() if None in users_of(references(text(statement)))}
    assert several == set(OF_SEVERAL_USERS)


def test_all_functions_that_build_statements_are_known() -> None:
    values = chain.from_iterable(vars(module).values() for module in modules())
    cached = {value for value in values if isinstance(value, _lru_cache_wrapper)}
    assert {each for each in cached if each.__module__.startswith(adapter.__name__)} == set(BUILDERS)


# A statement, and the tables that it touches with the parameter that names their user.
EXAMPLES = {
    "SELECT 1 FROM tasks WHERE tasks.user_id = $1 AND tasks.id = $2": {"tasks": "$1"},
    'SELECT 1 FROM tasks AS t WHERE t.user_id = $2::VARCHAR COLLATE "C"': {"tasks": "$2"},
    "SELECT 1 FROM tasks WHERE tasks.user_id = $1 OR tasks.id = $2": {"tasks": None},
    "SELECT 1 FROM tasks WHERE tasks.id = $1": {"tasks": None},
    "SELECT 1 FROM users, tasks WHERE users.id = $1 AND tasks.user_id = users.id": {"users": "$1", "tasks": None},
    "SELECT 1 FROM users LEFT JOIN tasks ON tasks.user_id = $1 WHERE users.id = $1": {"users": "$1", "tasks": "$1"},
    "SELECT (SELECT 1 FROM lists WHERE lists.id = $2) FROM users WHERE users.id = $1": {"users": "$1", "lists": None},
    "WITH a AS (DELETE FROM tombstones WHERE tombstones.id = $1) SELECT 1": {"tombstones": None},
    "WITH a AS (SELECT $1 AS id) UPDATE users SET revision = 1 FROM a WHERE users.id = a.id": {"users": None},
    "INSERT INTO tasks (id, user_id) VALUES ($1, $2)": {"tasks": "$2"},
    "INSERT INTO lists (user_id, id) SELECT a.user_id, a.id FROM a": {"lists": None},
    "INSERT INTO lists (user_id, id) SELECT $1::VARCHAR AS x, a.id FROM a": {"lists": "$1"},
    "INSERT INTO lists (user_id, id) SELECT users.id, a.id FROM a, users WHERE users.id = $1": {
        "lists": "$1",
        "users": "$1",
    },
    "INSERT INTO lists (user_id, id) SELECT users.id, a.id FROM a, users WHERE users.id = a.id": {
        "lists": None,
        "users": None,
    },
}


@pytest.mark.parametrize("sql", EXAMPLES)
def test_what_counts_as_naming_the_user(sql: str) -> None:
    assert dict(references(sql)) == EXAMPLES[sql]
