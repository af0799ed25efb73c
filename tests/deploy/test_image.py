"""The image has no development package, and production does not need it."""

import shutil
import subprocess
import sys
from fnmatch import fnmatch
from pathlib import Path

import pytest
from tests.e2e.programs import SECRET, environment

ROOT = Path(__file__).parents[2]
PATTERNS = (ROOT / ".dockerignore").read_text().split()
NO_DATABASE = "postgresql://nobody@127.0.0.1:1/none"


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sources that `COPY src src` of the Dockerfile copies."""
    target = tmp_path_factory.mktemp("image") / "src"

    def ignored(directory: str, names: list[str]) -> list[str]:
        paths = {name: (Path(directory) / name).relative_to(ROOT).as_posix() for name in names}
        return [name for name, path in paths.items() if any(fnmatch(path, pattern) for pattern in PATTERNS[1:])]

    shutil.copytree(ROOT / "src", target, ignore=ignored)
    return target


def run(image: Path, *arguments: str) -> tuple[int, str, str]:
    settings = environment(DATABASE_URL=NO_DATABASE, BETTER_AUTH_SECRET=SECRET, PYTHONPATH=str(image))
    done = subprocess.run(
        (sys.executable, *arguments), cwd=image.parent, env=settings, capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout, done.stderr


def test_the_image_has_no_development_package(image: Path) -> None:
    assert (image / "todo_api" / "cli" / "dev.py").exists()
    assert not (image / "todo_api" / "dev").exists()
    where = run(image, "-c", "import todo_api; print(todo_api.__file__)")[1]
    assert Path(where.strip()) == image / "todo_api" / "__init__.py"


@pytest.mark.parametrize("command", ["serve", "check", "purge", "invalidate-tokens"])
def test_production_goes_as_far_as_the_database_without_it(image: Path, command: str) -> None:
    status, out, err = run(image, "-m", "todo_api", command)
    assert status == 1
    assert "the database of DATABASE_URL cannot be used" in out + err
    assert "Traceback" not in err


def test_the_document_is_printed_without_it(image: Path) -> None:
    status, out, err = run(image, "-m", "todo_api", "openapi")
    assert (status, err) == (0, "")
    assert out.startswith("{")


@pytest.mark.parametrize("command", ["dev", "token"])
def test_development_commands_report_that_they_are_missing(image: Path, command: str) -> None:
    assert run(image, "-m", "todo_api", command) == (
        1,
        "",
        f"todo-api: `{command}` is for development, and the image does not contain it: use a checkout\n",
    )
