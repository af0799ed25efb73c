"""Older versions of the service, to compare with."""

import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

_ROOT = Path(__file__).parents[1]


@contextmanager
def checkout(revision: str) -> Iterator[Path]:
    """Extract `src` at a Git revision; yield the folder, which is removed after the block.

    The older version runs in this environment, with the packages that are installed now.

    Raises:
        SystemExit: Git does not know the revision.
    """
    command = ["git", "-C", str(_ROOT), "archive", revision, "src"]
    archive = subprocess.run(command, capture_output=True, check=False)
    if archive.returncode:
        raise SystemExit(f"cannot check out {revision}: {archive.stderr.decode().strip()}")
    with tempfile.TemporaryDirectory() as directory:
        with tarfile.open(fileobj=BytesIO(archive.stdout)) as files:
            files.extractall(directory, filter="data")
        yield Path(directory) / "src"
