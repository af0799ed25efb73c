"""Packages that may only import the standard library and little else, which import-linter cannot express."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.conftest import ROOT

SOURCE = ROOT / "src" / "todo_api"


def imported(package: str) -> Iterator[tuple[Path, str]]:
    """Return the modules that a package imports, at any place in a file."""
    for path in sorted((SOURCE / package).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                yield from ((path, alias.name) for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                yield path, node.module or "."


@pytest.mark.parametrize(
    ("package", "inward"),
    [
        ("domain", ("dateutil",)),  # recurrence rules
        ("application", ("todo_api.domain",)),
        ("adapters/memory", ("todo_api.domain",)),
        ("dev/postgres", ()),
    ],
)
def test_the_package_imports_no_other_library_and_no_outer_package(package: str, inward: tuple[str, ...]) -> None:
    allowed = (f"todo_api.{package.replace('/', '.')}", *inward)
    found = list(imported(package))

    assert found
    assert [
        (path.name, module)
        for path, module in found
        if module.partition(".")[0] not in sys.stdlib_module_names
        and not any(module == name or module.startswith(f"{name}.") for name in allowed)
    ] == []
