"""The lock files match pyproject.toml: a dependency that was added or raised there is locked."""

import json
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
EXTRAS = PYPROJECT["project"]["optional-dependencies"]
LOCKED = {  # as `make lock` writes them
    "requirements.lock": (("build",), ("redis", "telemetry")),
    "requirements-run.lock": (("build",), ("embedded",)),
    "requirements-dev.lock": (("dev",), ("embedded", "redis", "telemetry")),
    "requirements-tools.lock": (("tools",), ()),
}
PINNED = re.compile(
    r"(?P<name>[a-z0-9-]+)(\[[a-z0-9,-]+\])?==(?P<version>\S+)( ; [^\\]+)?( \\\n    --hash=sha256:[0-9a-f]{64})+"
)


def pins(lock: str) -> dict[str, str]:
    """The locked versions; every line is a comment, or a pin with hashes."""
    text = re.sub(r"^ *#.*\n", "", (ROOT / lock).read_text(), flags=re.MULTILINE)
    blocks = re.split(r"\n(?=\S)", text.strip())
    found = [PINNED.fullmatch(block) for block in blocks]
    assert [block for block, match in zip(blocks, found, strict=True) if not match] == []
    return {match["name"]: match["version"] for match in found if match}


def group(name: str) -> Iterator[str]:
    entries: list[str | dict[str, Any]] = PYPROJECT["dependency-groups"][name]
    for entry in entries:
        if isinstance(entry, str):
            yield entry
        else:
            yield from group(entry["include-group"])


@pytest.mark.parametrize("lock", LOCKED)
def test_what_the_project_asks_for_is_locked(lock: str) -> None:
    groups, extras = LOCKED[lock]
    asked = [*PYPROJECT["project"]["dependencies"]]
    asked += [text for name in groups for text in group(name)]
    asked += [text for name in extras for text in EXTRAS[name]]
    locked = pins(lock)
    missing = [
        str(one)
        for one in map(Requirement, asked)
        if not one.specifier.contains(locked.get(canonicalize_name(one.name), "0"), prereleases=True)
    ]
    assert missing == [], "run: make lock"


@pytest.mark.parametrize("lock", [lock for lock in LOCKED if lock != "requirements.lock"])
def test_what_is_deployed_is_what_is_tested(lock: str) -> None:
    deployed = pins("requirements.lock")
    other = {name: version for name, version in pins(lock).items() if name in deployed}
    assert other.items() <= deployed.items()
    assert lock != "requirements-dev.lock" or other == deployed


@pytest.mark.parametrize("folder", ["clients/typescript", "examples/nextjs", "tests/clients"])
def test_packages_of_npm_are_locked_by_hashes_and_without_addresses(folder: str) -> None:
    text = (ROOT / folder / "package-lock.json").read_text()
    assert "://" not in text  # also without "funding"
    packages = json.loads(text)["packages"]
    installed = {name: entry for name, entry in packages.items() if name.startswith("node_modules/")}
    assert [name for name, entry in installed.items() if not entry.get("link") and "integrity" not in entry] == []
