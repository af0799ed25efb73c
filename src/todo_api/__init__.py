"""An asynchronous, multi-user task API."""

__version__ = "0.1.0"
