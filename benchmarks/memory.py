"""The memory of a worker at rest, and what each library adds to it while it is imported; for Linux.

    make build/deployed && .venv/bin/python -m benchmarks.memory --python build/deployed/bin/python

With the deployed packages alone: some import others, such as rich, if they are installed.
"""

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil
from tests.e2e.programs import ROOT, migrate
from tests.faults.programs import Service
from tests.ports import unused_port

from todo_api.dev.postgres import open_server

LIBRARIES = {
    "Python, with asyncio and ssl": "asyncio, ssl",
    "Pydantic": "pydantic",
    "FastAPI and Starlette": "fastapi",
    "uvicorn, uvloop and httptools": "uvicorn, uvloop, httptools",
    "SQLAlchemy": "sqlalchemy.ext.asyncio, sqlalchemy.dialects.postgresql.asyncpg",
    "asyncpg": "asyncpg",
    "pydantic-settings": "pydantic_settings",
    "cryptography and PyJWT": "cryptography.hazmat.primitives.asymmetric.ed25519, jwt",
    "structlog, msgspec, limits, python-dateutil": "structlog, msgspec, limits, dateutil.rrule",
    "todo-api itself": "todo_api.main, todo_api.server",
}
PRINT_PAGES = "print(open('/proc/self/statm').read().split()[1])"  # the resident set, in pages
PAGE_SIZE = resource.getpagesize()
MEBIBYTE = 1024 * 1024
REST = 2.0  # seconds


def imported(python: str) -> list[float]:
    """Return the resident set in MiB after the imports of each library, in order, in one process."""
    code = "".join(f"import {modules}\n{PRINT_PAGES}\n" for modules in LIBRARIES.values())
    command = (python, "-c", code)
    output = subprocess.check_output(command, text=True, env={"PYTHONPATH": f"{ROOT / 'src'}"})
    return [int(pages) * PAGE_SIZE / MEBIBYTE for pages in output.split()]


def at_rest(python: str, workers: int) -> list[tuple[float, float]]:
    """Return the resident set and the proportional set of each worker in MiB."""
    with tempfile.TemporaryDirectory() as directory, open_server(Path(directory) / "postgres", durable=False) as url:
        migrate(url)
        settings = {"DATABASE_URL": url, "WORKERS": f"{workers}", "PYTHONPATH": f"{ROOT / 'src'}"}
        service = Service(Path(directory) / "service.log", unused_port(), settings, program=(python, "-m", "todo_api"))
        try:
            service.start()
            assert service.process
            time.sleep(REST)
            process = psutil.Process(service.process.pid)
            # The other child is Python's resource tracker.
            found = [each for each in process.children() if "spawn_main" in " ".join(each.cmdline())] or [process]
            full = [each.memory_full_info() for each in found]
            return [(each.rss / MEBIBYTE, each.pss / MEBIBYTE) for each in full]
        finally:
            service.kill()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.memory", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--python", default=sys.executable, help="of an environment with the deployed packages")
    python = f"{Path(parser.parse_args().python).absolute()}"
    before = 0.0
    print("| imported | MiB |\n|---|--:|")
    for name, after in zip(LIBRARIES, imported(python), strict=True):
        print(f"| {name} | {after - before:.1f} |")
        before = after
    print(f"| together | {before:.1f} |\n")
    for workers in (1, 2):
        for resident, proportional in at_rest(python, workers):
            print(f"a worker of {workers} at rest: {resident:.1f} MiB resident, {proportional:.1f} MiB proportional")


if __name__ == "__main__":
    main()
