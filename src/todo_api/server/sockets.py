"""Listening sockets, opened before anything else is started."""

import errno
import os
import socket
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

BACKLOG = 2048
WRITE_TIMEOUT = 30.0  # seconds after which a client that reads nothing is disconnected
LOCAL_ADDRESSES = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - clients on this machine connect to these


class ServerStartError(Exception):
    """The server cannot start; the message names the setting, HOST or PORT, or says where to look."""


@contextmanager
def listening(host: str, port: int) -> Iterator[list[socket.socket]]:
    """Listen on every address of the host, on the same port.

    Raises:
        ServerStartError: The port is taken or reserved, or the host is not an address of this machine.
    """
    with ExitStack() as stack:
        yield _listen(host, port, stack)


def url_of(sockets: list[socket.socket], host: str) -> str:
    """Return the URL for clients on this machine."""
    name = LOCAL_ADDRESSES.get(host, host)
    return f"http://{f'[{name}]' if ':' in name else name}:{sockets[0].getsockname()[1]}"


def _listen(host: str, port: int, stack: ExitStack) -> list[socket.socket]:
    try:
        addresses = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except OSError as error:
        raise ServerStartError(f"HOST is {host}, which is not an address: {error.strerror}") from error
    sockets: list[socket.socket] = []
    for family, _, _, _, address in dict.fromkeys(addresses):
        chosen = sockets[0].getsockname()[1] if sockets else port
        dual_stack = len(addresses) == 1 and family == socket.AF_INET6 and socket.has_dualstack_ipv6()
        try:
            # Listen immediately: until then, another process can bind the port too.
            server = socket.create_server(
                (address[0], chosen, *address[2:]), family=family, backlog=BACKLOG, dualstack_ipv6=dual_stack
            )
        except OSError as error:
            # "localhost" often has an IPv6 address that the machine does not have.
            if error.errno == errno.EADDRNOTAVAIL and len(addresses) > 1:
                continue
            raise ServerStartError(_reason(error, host, port)) from error
        if sys.platform == "linux":  # accepted connections inherit it: connections of vanished clients are closed
            server.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(WRITE_TIMEOUT * 1000))
        sockets.append(stack.enter_context(server))
    if not sockets:
        raise ServerStartError(f"HOST is {host}, which is not an address of this machine")
    return sockets


def _reason(error: OSError, host: str, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"PORT {port} of {host} is taken by another program: set PORT to a free one, such as {port % 65535 + 1}"
    if error.errno == errno.EACCES:
        return f"PORT {port} is reserved for the system: set PORT to 1024 or more"
    return f"HOST is {host} and PORT is {port}: {os.strerror(error.errno or 0)}"
