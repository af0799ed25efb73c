"""The settings of a command: the environment's, with its flags on top."""

import argparse

from pydantic import ValidationError
from pydantic_settings import SettingsError

from todo_api.dev.token import with_secret
from todo_api.settings import ConfigurationError, Settings

FLAGS = ("host", "port", "workers", "access_log")


def settings_of(arguments: argparse.Namespace) -> Settings:
    """The settings that the environment, a `.env` file and the flags give.

    Raises:
        ConfigurationError: one of them will not do; the message names it and does not quote it.
    """
    try:
        settings = Settings()
    except ValidationError as error:
        # The error itself quotes values, which may be secret.
        raise ConfigurationError("; ".join(_problem(one["loc"], one["msg"]) for one in error.errors())) from None
    except SettingsError as error:
        raise ConfigurationError(str(error)) from None
    flags = {name: getattr(arguments, name, None) for name in FLAGS}
    return settings.model_copy(update={name: value for name, value in flags.items() if value is not None})


def development_settings_of(arguments: argparse.Namespace) -> tuple[Settings, str]:
    """The same, with the secret that is kept for development where there is no other; and that secret.

    Raises:
        ConfigurationError: as above, or the secret is too short or cannot be kept.
    """
    settings = settings_of(arguments)
    try:
        settings, secret = with_secret(settings)
    except OSError as error:
        raise ConfigurationError(
            f"DATA_DIR is {settings.data_dir}, and {error.filename} cannot keep a secret: {error.strerror}. "
            "Set BETTER_AUTH_SECRET, or DATA_DIR to a directory that can be written"
        ) from error
    settings.require_token_verification()
    return settings, secret


def _problem(location: tuple[int | str, ...], message: str) -> str:
    name = str(location[0]).upper()
    message = message.removeprefix("Value error, ")
    return message if message.startswith(name) else f"{name}: {message}"
