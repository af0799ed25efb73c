"""Every error of the domain and the application has a problem type."""

from collections.abc import Iterator
from http import HTTPStatus
from importlib import import_module

import pytest
from tests.architecture.test_imports import SOURCE

from todo_api.adapters.http.problems import PROBLEMS, problem_type
from todo_api.application.access import AuthenticationError
from todo_api.domain.errors import IncompleteImportError, OperationError, TodoError

for module in sorted([*SOURCE.glob("domain/*.py"), *SOURCE.glob("application/*.py")]):
    import_module(f"todo_api.{module.parent.name}.{module.stem}")

# Base classes for `except`; they are never raised.
ABSTRACT: set[type[TodoError]] = {TodoError, AuthenticationError}
# Returned as the problem of the error that it wraps.
WRAPPING: set[type[TodoError]] = {OperationError, IncompleteImportError}


def kinds(error: type[TodoError] = TodoError) -> Iterator[type[TodoError]]:
    """Return the class and its subclasses in this project."""
    if error.__module__.startswith("todo_api."):
        yield error
    for kind in error.__subclasses__():
        yield from kinds(kind)


@pytest.mark.parametrize("kind", sorted(set(kinds()) - ABSTRACT - WRAPPING, key=repr))
def test_every_error_has_a_problem_type(kind: type[TodoError]) -> None:
    problem = problem_type(kind.__new__(kind))

    assert problem is PROBLEMS[kind]
    assert problem.status >= HTTPStatus.BAD_REQUEST


@pytest.mark.parametrize("kind", sorted(ABSTRACT, key=repr))
def test_an_abstract_error_has_subclasses_and_no_response(kind: type[TodoError]) -> None:
    assert kind.__subclasses__()
    assert kind not in PROBLEMS


def test_problems_have_different_codes() -> None:
    by_code = {problem.code: problem for problem in PROBLEMS.values()}
    assert set(by_code.values()) == set(PROBLEMS.values())
