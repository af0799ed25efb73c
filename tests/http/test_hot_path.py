"""The hot path: all other HTTP tests run with it and without it; these tests find what it would ignore."""

from inspect import Parameter, signature

from fastapi import APIRouter, Depends
from tests.http.application import make_app

from todo_api.adapters.http.app import HttpConfig
from todo_api.adapters.http.hot_path import hot_handlers
from todo_api.adapters.http.routes import tasks
from todo_api.adapters.memory.repository import InMemoryTaskRepository


def test_it_is_an_option() -> None:
    with_it = make_app(InMemoryTaskRepository(), config=HttpConfig(hot_path=True))
    without = make_app(InMemoryTaskRepository(), config=HttpConfig(hot_path=False))
    assert with_it.state.handlers.keys() == {
        tasks.list_tasks,
        tasks.get_task,
        tasks.create_task,
        tasks.update_task,
    }
    assert without.state.handlers == {}


def test_endpoint_parameters_have_no_defaults_so_mypy_finds_missing_ones() -> None:
    for endpoint in hot_handlers(tasks.router.routes):
        assert {parameter.default for parameter in signature(endpoint).parameters.values()} == {Parameter.empty}


async def audit() -> None: ...


def test_routes_with_dependencies_of_their_own_are_left_to_fastapi() -> None:
    router = APIRouter(dependencies=[Depends(audit)])
    router.add_api_route("/tasks/{task_id}", tasks.get_task)
    assert hot_handlers(router.routes) == {}
