"""The settings of a command: the environment, a `.env` file, and the command's flags."""

import argparse

from pydantic import ValidationError
from pydantic_settings import SettingsError

from todo_api.settings import ConfigurationError, Settings

FLAGS = ("host", "port", "workers", "access_log")


def settings_of(arguments: argparse.Namespace) -> Settings:
    """Read the settings; flags override the environment, and the environment overrides the file.

    Raises:
        ConfigurationError: A value is invalid; the message names the setting and does not quote the value.
    """
    flags = {name: value for name in FLAGS if (value := getattr(arguments, name, None)) is not None}
    try:
        return Settings(**flags)
    except ValidationError as error:
        # The error itself quotes values, which may be secret.
        raise ConfigurationError("; ".join(_problem(one["loc"], one["msg"]) for one in error.errors())) from None
    except SettingsError as error:
        raise ConfigurationError(str(error)) from None


def _problem(location: tuple[int | str, ...], message: str) -> str:
    name = str(location[0]).upper()
    return f"{name}: {message.removeprefix('Value error, ')}"
