"""The command line: `todo-api dev | serve | check | purge | token | openapi`."""

import argparse
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import TYPE_CHECKING, TypeAlias

from todo_api import __version__

if TYPE_CHECKING:  # it has no public name, and takes no type arguments at run time
    Subparsers: TypeAlias = argparse._SubParsersAction[argparse.ArgumentParser]  # noqa: SLF001

HIGHEST_PORT = 65535
LONGEST_HOURS = 10 * 366 * 24
INTERRUPTED = 130  # as shells report a SIGINT


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command.

    Returns:
        The exit status: 0, or 1 after a line on stderr that says what to do.
    """
    parsed = _parser().parse_args(arguments)
    try:
        status = _run(parsed)
        sys.stdout.flush()
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:  # whoever reads the output has seen enough, as `head` has
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return status


def _run(parsed: argparse.Namespace) -> int:
    # After the arguments are parsed: --help need not wait for what the commands load.
    from todo_api.dev.postgres import LocalPostgresError  # noqa: PLC0415
    from todo_api.settings import ConfigurationError  # noqa: PLC0415

    try:
        import_module(f"todo_api.cli.{parsed.module}").run(parsed)
    except (ConfigurationError, LocalPostgresError) as error:
        print(f"todo-api: {error}", file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="todo-api",
        description="An asynchronous, multi-user task API.",
        epilog="Settings are environment variables or lines of a .env file; flags go before both. "
        "`todo-api COMMAND --help` says more.",
    )
    parser.add_argument("--version", action="version", version=f"todo-api {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    _add_dev(commands)
    _add_serve(commands)
    _add_check(commands)
    _add_purge(commands)
    _add_token(commands)
    _add_openapi(commands)
    return parser


def _add_dev(commands: "Subparsers") -> None:
    dev = commands.add_parser(
        "dev",
        help="serve for development, with a PostgreSQL of its own",
        description="Start a PostgreSQL (or use DATABASE_URL), migrate it, serve, and print a token to try it with. "
        "Data and secret are kept in DATA_DIR (.data), unless DATABASE_URL and BETTER_AUTH_SECRET give others.",
    )
    _add_address(dev)
    dev.add_argument(
        "--exit-with-parent",
        metavar="PID",
        nargs="?",
        const=0,
        type=int,
        help="end when the process that started this one has ended, which is PID if that is given",
    )
    dev.set_defaults(module="dev")


def _add_serve(commands: "Subparsers") -> None:
    serve = commands.add_parser(
        "serve",
        help="serve for production",
        description="Serve what the environment configures: DATABASE_URL, whose schema `alembic upgrade head` has "
        "brought to the newest revision, and BETTER_AUTH_URL or BETTER_AUTH_SECRET to verify tokens.",
    )
    _add_address(serve)
    serve.add_argument("--workers", metavar="N", type=_positive, help="how many processes serve (default: WORKERS, 1)")
    serve.set_defaults(module="serve")


def _add_address(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--host", help="the address to listen on (default: HOST, 127.0.0.1)")
    parser.add_argument("--port", type=_port, help="the port; 0 takes a free one (default: PORT, 8000)")
    parser.add_argument(
        "--access-log", action=argparse.BooleanOptionalAction, help="whether to log every request (default: ACCESS_LOG)"
    )


def _add_check(commands: "Subparsers") -> None:
    check = commands.add_parser(
        "check",
        help="say what is wrong with the configuration",
        description="Look at all that `todo-api serve` needs, and say what is wrong: the settings, the database and "
        "its schema, the keys of tokens, and what else is configured. Ends with 1 if something is.",
    )
    check.set_defaults(module="check")


def _add_purge(commands: "Subparsers") -> None:
    purge = commands.add_parser(
        "purge",
        help="forget what has been deleted for long enough",
        description="Forget tasks that have been in the trash for TRASH_DAYS (30), tombstones of TOMBSTONE_DAYS (90) "
        "and idempotency keys of 24 hours, in the database that DATABASE_URL names. `serve` and `dev` do so by "
        "themselves every PURGE_INTERVAL seconds (3600); any number of them may do it at the same time.",
    )
    purge.set_defaults(module="purge")


def _add_token(commands: "Subparsers") -> None:
    token = commands.add_parser(
        "token",
        help="print a token for development",
        description="Print a token that `todo-api dev` accepts: an HS256 one by BETTER_AUTH_SECRET, "
        "or else by the secret that is kept in DATA_DIR.",
    )
    token.add_argument("user", metavar="USER", nargs="?", default="dev-user", type=_user, help="default: dev-user")
    token.add_argument("--hours", metavar="H", default=24.0, type=_hours, help="how long it is good for (default: 24)")
    token.add_argument("--scope", action="append", default=[], help="a scope to restrict it to; may be repeated")
    token.set_defaults(module="print_token")


def _add_openapi(commands: "Subparsers") -> None:
    about = "print the OpenAPI document"
    commands.add_parser("openapi", help=about, description=about).set_defaults(module="print_openapi")


def _port(text: str) -> int:
    if not 0 <= (port := int(text)) <= HIGHEST_PORT:
        raise argparse.ArgumentTypeError(f"{port} is not from 0 to {HIGHEST_PORT}")
    return port


def _positive(text: str) -> int:
    if (number := int(text)) < 1:
        raise argparse.ArgumentTypeError(f"{number} is not 1 or more")
    return number


def _hours(text: str) -> float:
    if not 0 < (hours := float(text)) <= LONGEST_HOURS:
        raise argparse.ArgumentTypeError(f"{text} is not more than 0 and at most {LONGEST_HOURS}")
    return hours


def _user(text: str) -> str:
    if not text:
        raise argparse.ArgumentTypeError("the user is empty")
    return text
