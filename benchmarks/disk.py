"""The time that a disk takes to flush: commits wait for it, so its pauses would be attributed to the service."""

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
        slowest = max(self.sync_times(_SYNCS))
        return slowest > max(_DISTURBED, 10 * statistics.median(self.sync_times(_SYNCS)))

    def sync_times(self, count: int) -> list[float]:
        """Return the seconds that each of so many syncs takes, one after the other."""
        descriptor = os.open(self._file, os.O_WRONLY | os.O_CREAT)
        try:
            return [_sync(descriptor) for _ in range(count)]
        finally:
            os.close(descriptor)


def _sync(descriptor: int) -> float:
    os.pwrite(descriptor, os.urandom(512), 0)
    start = time.perf_counter()
    os.fsync(descriptor)
    return time.perf_counter() - start
