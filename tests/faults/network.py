"""A network namespace, which acts as another machine."""

import os
import random
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

MISSING = "falling silent needs root, and `ip` and `iptables` (install iproute2 and iptables)"


class Namespace:
    """A namespace with one link to this machine."""

    def __init__(self, name: str, network: str) -> None:
        self.here, self.there = f"{network}.1", f"{network}.2"
        self.inside = ("ip", "netns", "exec", name)  # what to put before a command
        self._name = name
        self._cable = f"{name}h"

    def connect(self) -> None:
        run("ip", "netns", "add", self._name)
        run("ip", "link", "add", self._cable, "type", "veth", "peer", "name", "cable", "netns", self._name)
        run("ip", "address", "add", f"{self.here}/30", "dev", self._cable)
        run("ip", "link", "set", self._cable, "up")
        run("ip", "-n", self._name, "address", "add", f"{self.there}/30", "dev", "cable")
        run("ip", "-n", self._name, "link", "set", "cable", "up")
        run("ip", "-n", self._name, "link", "set", "lo", "up")

    def silence(self, port: int) -> None:
        """Drop every packet to and from a port of this machine."""
        run(*self.inside, "iptables", "-A", "OUTPUT", "-p", "tcp", "--dport", f"{port}", "-j", "DROP")
        run(*self.inside, "iptables", "-A", "INPUT", "-p", "tcp", "--sport", f"{port}", "-j", "DROP")

    def restore(self) -> None:
        run(*self.inside, "iptables", "-F")

    def remove(self) -> None:
        """Remove the namespace with its link and its rules."""
        run("ip", "netns", "del", self._name)


@contextmanager
def namespace() -> Iterator[Namespace]:
    """Create a namespace while the block runs; skip the test if that is not possible."""
    if os.geteuid() != 0 or not (shutil.which("ip") and shutil.which("iptables")):
        pytest.skip(MISSING)
    made = Namespace(f"todo{os.getpid()}", f"198.18.{random.randrange(256)}")  # a network for tests, by RFC 2544
    try:
        made.connect()
    except subprocess.CalledProcessError as error:
        pytest.skip(f"this root may make no network namespace: {error.stderr.strip()}")
    try:
        yield made
    finally:
        made.remove()


def run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True, text=True)
