"""The curl commands of the documentation, run as written against the server."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from tests.e2e.programs import ROOT, Running, Start

from todo_api.adapters.http.problems import INTERNAL, PROBLEMS

ADDRESS, TOKEN = "http://127.0.0.1:8000", "$(.venv/bin/todo-api token)"
PRELUDE = """
set -euo pipefail
curl() { command curl --silent --show-error --fail-with-body "$@"; }
"""
# The event stream never ends.
EVENTS = ("curl -N $API/api/tasks/events", "curl --max-time 2 -N $API/api/tasks/events")
TIMED_OUT = "28"  # curl's exit status


def commands(page: str, heading: str = "# ") -> str:
    """Return the `sh` blocks of a page after a heading that call the API."""
    text = (ROOT / page).read_text().partition(heading)[2] if heading else (ROOT / page).read_text()
    return "\n".join(
        block for block in re.findall(r"```sh\n(.*?)```", text, re.DOTALL) if "$API" in block or "API=" in block
    )


def run(script: str, running: Running, directory: Path) -> subprocess.CompletedProcess[str]:
    token = running.headers["Authorization"].removeprefix("Bearer ")
    assert ADDRESS not in script or TOKEN in script
    script = script.replace(ADDRESS, running.url).replace(TOKEN, token)
    return subprocess.run(
        ["bash", "-c", PRELUDE + script], cwd=directory, capture_output=True, text=True, check=False, timeout=60,
        env={"PATH": os.environ["PATH"]},
    )  # fmt: skip


@pytest.fixture
def running(start: Start) -> Running:
    if not shutil.which("curl"):
        pytest.skip("curl is not installed")
    return start("dev")


def test_the_first_calls_of_the_readme_work(running: Running, tmp_path: Path) -> None:
    done = run(commands("README.md", "## First calls"), running, tmp_path)

    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count('"title":"Buy milk"') == 7  # list, get, put, move, search, repeat, complete
    assert '"tags":["shop"]' in done.stdout
    assert '"tags":[{"name":"shop","all":1,"pending":1}]' in done.stdout
    assert re.search(r'\["20[0-9-]{8}","20[0-9-]{8}","20[0-9-]{8}"\]', done.stdout)  # the next occurrences
    assert '"completed":true' in done.stdout
    assert running.titles() == []  # they went to the trash with their list


def test_the_commands_of_the_api_page_work(running: Running, tmp_path: Path) -> None:
    done = run(commands("docs/api.md"), running, tmp_path)

    assert done.returncode == 0, done.stdout + done.stderr
    assert '"results":[{"status":201' in done.stdout
    assert '"imported":0' in done.stdout
    assert '"imported_lists":0' in done.stdout
    assert '"name":"Food","color":null' in done.stdout
    assert '[{"name":"at work","all":1,"pending":1}]' in done.stdout
    assert done.stdout.count('"title":"Water the plants"') == 2  # the one after the skipped one, and that restored
    assert (tmp_path / "tasks.json").exists()


def test_the_api_page_has_every_code_of_a_problem() -> None:
    page = (ROOT / "docs/api.md").read_text()
    assert not [kind.code for kind in (*PROBLEMS.values(), INTERNAL) if f"`{kind.code}`" not in page]


def test_the_event_stream_of_the_sync_page_works(running: Running, tmp_path: Path) -> None:
    (setup, *_) = re.findall(r"```sh\n(.*?)```", (ROOT / "docs/api.md").read_text(), re.DOTALL)
    events = commands("docs/sync.md").replace(*EVENTS)
    assert "--max-time" in events
    done = run(f"{setup}\n{events.strip()} || test $? = {TIMED_OUT}", running, tmp_path)

    assert done.returncode == 0, done.stdout + done.stderr
    assert "data: {" in done.stdout
