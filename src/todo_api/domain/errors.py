"""What can go wrong, in the language of the domain. `adapters/http/problems.py` maps each to an HTTP answer."""


class TodoError(Exception):
    """Everything that this service refuses on purpose."""
