"""The error of a server that cannot start."""


class ServerStartError(Exception):
    """The server cannot start; the message names the setting, HOST or PORT, or says where to look."""
