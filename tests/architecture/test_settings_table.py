"""Every setting is used, and docs/settings.md lists it with its default."""

import ast
import re
from pathlib import Path
from typing import Any

import pytest

from todo_api.settings import Settings

ROOT = Path(__file__).parents[2]
DOCUMENT = ROOT / "docs" / "settings.md"
ROWS = dict(re.findall(r"^\| `(\w+)`.*? \| (.*?) \|", DOCUMENT.read_text(), re.MULTILINE))
BESIDE_SETTINGS = {"POSTGRES_BIN"}


def written(value: Any) -> str:
    """Return the value as in a .env file."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return ",".join(value)
    return f"{value:g}" if isinstance(value, float) else str(value)


def test_every_setting_is_documented() -> None:
    assert ROWS.keys() - BESIDE_SETTINGS == {name.upper() for name in Settings.model_fields}


def test_every_setting_is_used() -> None:
    trees = [ast.parse(path.read_text()) for path in (ROOT / "src").rglob("*.py")]
    read = {node.attr for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Attribute)}

    assert Settings.model_fields.keys() - read == set()


@pytest.mark.parametrize("name", [name for name, field in Settings.model_fields.items() if field.default])
def test_every_default_is_documented(name: str) -> None:
    default = ROWS[name.upper()]

    assert default.startswith(f"`{written(Settings.model_fields[name].default)}`")
