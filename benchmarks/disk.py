"""Detect a slow disk: commits wait for it, so its pauses would be attributed to the service."""

import os
import statistics
import time
from pathlib import Path

_SYNCS = 20
_DISTURBED = 0.05  # seconds; an undisturbed disk takes a few milliseconds


class DiskProbe:
    """Times `fsync` of a small file beside the database."""

    def __init__(self, directory: Path) -> None:
        self._file = directory / "probe"

    def is_disturbed(self) -> bool:
        """Return whether the slowest of a few syncs took far longer than usual."""
        descriptor = os.open(self._file, os.O_WRONLY | os.O_CREAT)
        try:
            return max(self._sync(descriptor) for _ in range(_SYNCS)) > max(_DISTURBED, 10 * self._usual(descriptor))
        finally:
            os.close(descriptor)

    def _usual(self, descriptor: int) -> float:
        return statistics.median(self._sync(descriptor) for _ in range(_SYNCS))

    def _sync(self, descriptor: int) -> float:
        os.pwrite(descriptor, os.urandom(512), 0)
        start = time.perf_counter()
        os.fsync(descriptor)
        return time.perf_counter() - start
