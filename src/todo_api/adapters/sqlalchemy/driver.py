"""The database's URL, and asyncpg connections to it.

`DATABASE_URL` is accepted as providers print it. There may be a pooler in transaction mode in between (PgBouncer,
Neon's `-pooler` hosts): connections use no session state, and behind a pooler no named statements.
"""

import itertools
import re
import ssl
from collections.abc import Awaitable, Callable, Generator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

import asyncpg

from todo_api.adapters.sqlalchemy.errors import LOST, NotRunError
from todo_api.adapters.sqlalchemy.hosts import Hosts, NoServerError, host_urls

# The parameters that asyncpg reads from a URL; it sends all others to the server as settings.
_DRIVER_OPTIONS = frozenset(
    """
    dbname database gsslib host krbsrvname passfile password port service servicefile ssl_max_protocol_version
    ssl_min_protocol_version sslcert sslcrl sslkey sslmode sslnegotiation sslpassword sslrootcert target_session_attrs
    user
    """.split()  # noqa: SIM905 - one word a line would fill a page
)
_SERVER_SETTINGS = frozenset({"application_name", "options"})

_HOST = re.compile(r"(?!$)(?:\[[0-9A-Fa-f:.]+\]|[^\[\]:@]*)(?::(?P<port>[0-9]{0,5}))?")
_LAST_PORT = 65_535


class DatabaseUrlError(ValueError):
    """The URL is not a PostgreSQL URL. The message does not quote it, because it may contain a password."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseConfig:
    """The database and the limits of its connections. Timeouts are in seconds."""

    url: str
    pool_size: int = 10
    pool_timeout: float = 5.0
    connect_timeout: float = 5.0
    statement_timeout: float | None = 10.0


def driver_url(url: str) -> str:
    """Return the URL in the form that asyncpg understands.

    Accepts the schemes `postgres`, `postgresql` and SQLAlchemy's `postgresql+driver`, and drops libpq options that
    asyncpg does not know, such as `channel_binding`. With several hosts, `target_session_attrs` is `read-write` by
    default.

    Raises:
        DatabaseUrlError: The text is not such a URL.
    """
    try:
        parts = urlsplit(url.strip())
        query = parse_qsl(parts.query.strip("&"), strict_parsing=bool(parts.query.strip("&")))
    except ValueError:
        raise DatabaseUrlError("is no valid URL") from None  # the error quotes parts of the URL
    if parts.scheme.partition("+")[0] not in {"postgres", "postgresql"}:
        raise DatabaseUrlError("must start with postgresql:// or postgres://")
    hosts = parts.netloc.partition("@")[2] if "@" in parts.netloc else parts.netloc  # as asyncpg parses it
    if hosts and not all(_is_host(host) for host in hosts.split(",")):
        raise DatabaseUrlError("has no valid host and port; in a password, write / as %2F, @ as %40 and # as %23")
    known = [(name, value) for name, value in query if name in _DRIVER_OPTIONS | _SERVER_SETTINGS]
    if _names_several_hosts(hosts, dict(known)) and "target_session_attrs" not in dict(known):
        known.append(("target_session_attrs", "read-write"))
    if ("sslrootcert", "system") in known:  # libpq's name for the system's certificate authorities; implies verify-full
        known = [(name, value) for name, value in known if name not in {"sslrootcert", "sslmode"}]
    if not any(name == "application_name" for name, _ in known):
        known.append(("application_name", "todo-api"))
    return urlunsplit(("postgresql", parts.netloc, parts.path, urlencode(known, quote_via=quote), ""))


def _is_host(text: str) -> bool:
    match = _HOST.fullmatch(text)
    return match is not None and int(match["port"] or 0) <= _LAST_PORT


def _names_several_hosts(hosts: str, query: Mapping[str, str]) -> bool:
    if hosts:
        return "," in hosts
    names, ports = query.get("host", "").count(",") + 1, query.get("port", "").count(",") + 1
    if ports not in {1, names}:
        raise DatabaseUrlError(f"names {names} hosts and {ports} ports")
    return names > 1


# Poolers invent the process id that they send to a client when it connects. On Citus, and only there, the names of
# shards must not be hidden: that slows down asyncpg's look-up of the types of arrays by a factor of ten. And a
# statement for several users asks the shards of a worker one after the other: for each such statement, Citus would open
# several connections to each worker, and close them again, which costs more than it saves.
_FIRST = """
SELECT pg_backend_pid(), CASE WHEN current_setting('citus.override_table_visibility', true) IS NOT NULL
    THEN set_config('citus.override_table_visibility', 'off', false)
      || set_config('citus.max_adaptive_executor_pool_size', '1', false) END
"""

_FAILED_COMMIT = "failed to commit transaction"

_numbers = itertools.count(1)


class _Connection(asyncpg.Connection):
    """A connection that prepares named statements, or unnamed ones behind a pooler.

    A pooler in transaction mode may send a named statement to a server that has not prepared it. asyncpg parses an
    unnamed one in the round trip that runs it.
    """

    is_behind_pooler = False
    failed_commit: str | None = None

    def watch_commits(self) -> None:
        """Remember failed commits for `require_commit`.

        Citus commits on the server that has the rows. If that fails, it warns and reports success.
        """
        self.add_log_listener(self._on_message)

    def _on_message(self, _: Any, message: Any) -> None:
        if _FAILED_COMMIT in message.message:
            self.failed_commit = message.message

    async def prepare(self, query: str, *, name: str | None = None, **options: Any) -> Any:
        if name is None:
            name = "" if self.is_behind_pooler else f"todo_{next(_numbers)}"
        try:
            return await super().prepare(query, name=name, **options)
        except LOST as error:
            raise NotRunError(*error.args) from error


def require_commit(connection: Any) -> None:
    """Raise an error, as if the server had reported it, if a commit of this connection has failed on another server.

    Call it after each statement in autocommit, and after each transaction.
    """
    if message := connection.failed_commit:
        connection.failed_commit = None
        raise asyncpg.PostgresError.new({"S": "ERROR", "V": "ERROR", "C": "08006", "M": message})


class _Connecting:
    """Opens a connection when it is awaited, not earlier: SQLAlchemy may drop it unawaited."""

    def __init__(self, hosts: Hosts) -> None:
        self._hosts = hosts

    def __await__(self) -> Generator[Any, None, Any]:
        return self._hosts.connect().__await__()


def connector(config: DatabaseConfig) -> Callable[[], Awaitable[Any]]:
    """Return a function that opens a connection of asyncpg.

    Raises:
        DatabaseUrlError: `config.url` is not the URL of a PostgreSQL database.
    """
    dsn = driver_url(config.url)
    system_roots = dict(parse_qsl(urlsplit(config.url).query)).get("sslrootcert") == "system"
    tls: dict[str, Any] = {"ssl": ssl.create_default_context()} if system_roots else {}

    async def connect(dsn: str) -> Any:
        try:
            connection = await asyncpg.connect(
                dsn,
                timeout=config.connect_timeout,
                command_timeout=config.statement_timeout,
                connection_class=_Connection,
                statement_cache_size=0,  # SQLAlchemy and the hot path keep the prepared statements
                **tls,
            )
        except asyncpg.TargetServerAttributeNotMatched as error:
            raise NoServerError("it is not of the kind that target_session_attrs asks for") from error
        try:
            ((process_id, visibility),) = await connection.fetch(_FIRST)
        except BaseException:
            connection.terminate()
            raise
        connection.is_behind_pooler = process_id != connection.get_server_pid()
        if visibility is not None:
            connection.watch_commits()
        return connection

    hosts = Hosts(host_urls(dsn), connect)
    return lambda: _Connecting(hosts)
