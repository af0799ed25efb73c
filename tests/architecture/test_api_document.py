"""docs/api.md lists each endpoint, field, order, filter and operation."""

import json
import re
from dataclasses import fields
from typing import get_args

from fastapi.routing import APIRoute
from tests.conftest import ROOT
from tests.http.application import make_app

from todo_api.adapters.http.schemas.batch import BatchOperation
from todo_api.adapters.http.schemas.parameters import FilterParameters
from todo_api.adapters.memory.repository import InMemoryTaskRepository
from todo_api.domain.listing import Sort
from todo_api.domain.task import Task
from todo_api.domain.task_changes import WRITABLE_FIELDS
from todo_api.domain.task_list import TaskList

PAGE = (ROOT / "docs" / "api.md").read_text()
_NAME = re.compile(r"`([A-Za-z_]+)`")
_CALL = re.compile(r"`(GET|POST|PUT|PATCH|DELETE)?(?: ?(/[^`?]*)(?:\?[^`]*)?)?`")


def first_column(heading: str) -> list[str]:
    """Return the first cells of the first table after a heading, without the head of the table."""
    table = re.search(r"(?:^\|.*\n)+", PAGE.partition(f"\n{heading}\n")[2], re.MULTILINE)
    assert table, f"docs/api.md has no table after {heading}"
    return [row.split("|")[1] for row in table[0].splitlines()[2:]]


def names(heading: str) -> set[str]:
    return {name for cell in first_column(heading) for name in _NAME.findall(cell)}


def documented_calls(cell: str) -> set[tuple[str, str]]:
    """Return the calls of a cell, such as "`GET`, `PUT /api/x`, `/api/y`"."""
    calls: set[tuple[str, str]] = set()
    methods: list[str] = []
    used = True
    for method, path in _CALL.findall(cell):
        if method:
            methods, used = ([method] if used else [*methods, method]), False
        if path:
            calls |= {(each, path) for each in methods}
            used = True
    return calls


def test_every_endpoint_is_in_the_table() -> None:
    routes = [route for route in make_app(InMemoryTaskRepository()).routes if isinstance(route, APIRoute)]
    served = {
        (method, re.sub("{(task|list)_id}", "{id}", route.path_format))
        for route in routes
        if route.include_in_schema
        for method in route.methods or ()
    }
    assert set.union(*map(documented_calls, first_column("## Endpoints"))) == served


def test_every_field_is_in_the_table_and_in_the_example() -> None:
    assert names("## The task") == set(WRITABLE_FIELDS)
    for heading, entity in (("## The task", Task), ("## Lists", TaskList)):
        example = re.search(r"```json\n(.*?)```", PAGE.partition(f"\n{heading}\n")[2], re.DOTALL)
        assert example
        assert list(json.loads(example[1])) == [field.name for field in fields(entity)]


def test_every_order_and_filter_is_in_its_table() -> None:
    assert names("## Pages and orders") == set(Sort)
    filters = {field.alias or name for name, field in FilterParameters.model_fields.items()}
    assert names("## Finding tasks") == filters


def test_every_operation_of_a_batch_is_in_the_table() -> None:
    (operations, *_) = get_args(BatchOperation.__value__)
    known = {value for model in get_args(operations) for value in get_args(model.model_fields["op"].annotation)}
    assert names("## Batches") == known
