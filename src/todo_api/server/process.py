"""The signals and limits of a serving process."""

import os
import resource
import signal
import sys
import threading
import time
from contextlib import suppress


def exit_on_sigterm() -> None:
    """Exit on SIGTERM with status 0 and clean-up, as long as uvicorn does not handle the signal."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))


def raise_open_files_limit() -> None:
    """Raise the soft limit of open files to the hard limit, for this process and its children."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(ValueError, OSError):  # "unlimited" can be more than the kernel allows
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def exit_with_parent(parent: int) -> None:
    """Send this process SIGTERM as soon as `parent` is no longer the id of its parent."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(0.2)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, daemon=True).start()
