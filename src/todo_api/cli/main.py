"""The command line: `todo-api dev | serve | check | distribute | purge | invalidate-tokens | token | openapi`."""

import argparse
import os
import sys
from collections.abc import Sequence
from importlib import import_module

from todo_api import __version__

HIGHEST_PORT = 65535
MAX_HOURS = 10 * 366 * 24
INTERRUPTED = 130  # as shells report a SIGINT


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command, and return its exit status: 0, or 1 after an error message on stderr."""
    parsed = _parser().parse_args(arguments)
    # Imported here, so that --help does not wait for it.
    from todo_api.server.sockets import ServerStartError  # noqa: PLC0415
    from todo_api.settings import ConfigurationError  # noqa: PLC0415

    try:
        import_module(f"todo_api.cli.{parsed.command.replace('-', '_')}").run(parsed)
        sys.stdout.flush()
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:  # the reader has closed the pipe, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (ConfigurationError, ServerStartError) as error:
        return _fail(str(error))
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("todo_api.dev"):
            return _fail(f"`{parsed.command}` is for development, and the image does not contain it: use a checkout")
        raise
    return 0


def _fail(message: str) -> int:
    print(f"todo-api: {message}", file=sys.stderr)
    return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="todo-api",
        description="An asynchronous, multi-user task API.",
        epilog="Settings are environment variables or lines of a .env file; flags override both. "
        "`todo-api COMMAND --help` lists them.",
    )
    parser.add_argument("--version", action="version", version=f"todo-api {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", dest="command", required=True)
    dev = commands.add_parser(
        "dev",
        help="serve for development, with an embedded PostgreSQL",
        description="Start a PostgreSQL (or use DATABASE_URL), migrate it, serve, and print a token for requests. "
        "Data and secret are kept in DATA_DIR (.data), unless DATABASE_URL and BETTER_AUTH_SECRET are set.",
    )
    _add_address(dev)
    dev.add_argument(
        "--exit-with-parent", metavar="PID", nargs="?", const=0, type=int,
        help="stop when the process that started this one, or the process PID, has ended",
    )  # fmt: skip
    serve = commands.add_parser(
        "serve",
        help="serve for production",
        description="Serve a database (DATABASE_URL) whose schema `alembic upgrade head` has migrated. "
        "BETTER_AUTH_URL or BETTER_AUTH_SECRET defines how tokens are verified.",
    )
    _add_address(serve)
    serve.add_argument("--workers", metavar="N", type=_positive, help="number of processes (default: WORKERS, 1)")
    commands.add_parser(
        "check",
        help="check the configuration",
        description="Check all that `todo-api serve` needs: the settings, the database and its schema, the keys of "
        "tokens, and the rest of the configuration. Exits with 1 if a check fails.",
    )
    commands.add_parser(
        "distribute",
        help="distribute the tables over the servers of a Citus cluster",
        description="Distribute the tables of DATABASE_URL, which is the coordinator of a Citus cluster, over its "
        "workers: by user. Run it after `alembic upgrade head`, also after an upgrade: it distributes what is still "
        "local. `serve` may run meanwhile, and it may be run again (docs/scale.md).",
    )
    commands.add_parser(
        "purge",
        help="remove old trash, tombstones and idempotency keys",
        description="Remove tasks that have been in the trash for TRASH_DAYS (30), tombstones older than "
        "TOMBSTONE_DAYS (90) and idempotency keys older than 24 hours from DATABASE_URL. `serve` and `dev` do the same "
        "every PURGE_INTERVAL seconds (3600); any number of processes may do it at the same time.",
    )
    commands.add_parser(
        "invalidate-tokens",
        help="make all clients load their tasks again, after a restore",
        description="Invalidate every sync token and every ETag of a list. Run it once after the database of "
        "DATABASE_URL was restored from a backup, or after a failover that lost commits, so that no client keeps what "
        "was lost. It changes no task, and may run while `serve` runs, and more than once.",
    )
    token = commands.add_parser(
        "token",
        help="print a token for development",
        description="Print a token that `todo-api dev` accepts, signed with HS256 and BETTER_AUTH_SECRET, "
        "or with the secret that is stored in DATA_DIR.",
    )
    token.add_argument("user", metavar="USER", nargs="?", default="dev-user", type=_user, help="default: dev-user")
    token.add_argument("--hours", metavar="H", default=24.0, type=_hours, help="hours until it expires (default: 24)")
    token.add_argument("--scope", action="append", default=[], help="a scope to restrict it to; may be repeated")
    about = "print the OpenAPI document"
    commands.add_parser("openapi", help=about, description=about)
    return parser


def _add_address(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--host", help="the address to listen on (default: HOST, 127.0.0.1)")
    parser.add_argument("--port", type=_port, help="the port; 0 picks a free one (default: PORT, 8000)")
    parser.add_argument(
        "--access-log", action=argparse.BooleanOptionalAction, help="whether to log every request (default: ACCESS_LOG)"
    )


def _port(text: str) -> int:
    if not 0 <= (port := int(text)) <= HIGHEST_PORT:
        raise argparse.ArgumentTypeError(f"{port} is not from 0 to {HIGHEST_PORT}")
    return port


def _positive(text: str) -> int:
    if (number := int(text)) < 1:
        raise argparse.ArgumentTypeError(f"{number} is not 1 or more")
    return number


def _hours(text: str) -> float:
    if not 0 < (hours := float(text)) <= MAX_HOURS:
        raise argparse.ArgumentTypeError(f"{text} is not more than 0 and at most {MAX_HOURS}")
    return hours


def _user(text: str) -> str:
    if not text:
        raise argparse.ArgumentTypeError("the user is empty")
    return text
