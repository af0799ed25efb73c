"""Database URLs as providers print them."""

import traceback
from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qs, quote, unquote, urlsplit

import pytest
from tests.postgres.running import Service

from todo_api.adapters.sqlalchemy.driver import DatabaseConfig, DatabaseUrlError, driver_url
from todo_api.adapters.sqlalchemy.engine import create_engine
from todo_api.adapters.sqlalchemy.schema import VERSION

NAME = "application_name=todo-api"
WRITES = "target_session_attrs=read-write"


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("postgres://ada:pw@db/todo", f"postgresql://ada:pw@db/todo?{NAME}"),
        ("postgresql://ada:pw@db:5433/todo", f"postgresql://ada:pw@db:5433/todo?{NAME}"),
        ("postgresql+asyncpg://ada:pw@db/todo", f"postgresql://ada:pw@db/todo?{NAME}"),
        ("postgresql+psycopg2://ada:pw@db/todo", f"postgresql://ada:pw@db/todo?{NAME}"),
        ("POSTGRESQL://db/todo", f"postgresql://db/todo?{NAME}"),
        (" postgresql://db/todo\n", f"postgresql://db/todo?{NAME}"),
        ("postgresql://db/todo?sslmode=require", f"postgresql://db/todo?sslmode=require&{NAME}"),
        (
            "postgresql://ada:pw@ep-x-pooler.eu.aws.neon.tech/todo?sslmode=require&channel_binding=require",
            f"postgresql://ada:pw@ep-x-pooler.eu.aws.neon.tech/todo?sslmode=require&{NAME}",
        ),
        ("postgresql://db/todo?pgbouncer=true&connect_timeout=15", f"postgresql://db/todo?{NAME}"),
        ("postgresql://db/todo?options=endpoint%3Dep-x", f"postgresql://db/todo?options=endpoint%3Dep-x&{NAME}"),
        (
            "postgresql://db/todo?options=-c%20search_path%3Dmine",
            f"postgresql://db/todo?options=-c%20search_path%3Dmine&{NAME}",
        ),
        ("postgresql://db/todo?application_name=mine", "postgresql://db/todo?application_name=mine"),
        ("postgresql://ada:p%40%2F%3A%23w@db/todo", f"postgresql://ada:p%40%2F%3A%23w@db/todo?{NAME}"),
        ("postgresql://ada@%2Fvar%2Frun/todo", f"postgresql://ada@%2Fvar%2Frun/todo?{NAME}"),
        ("postgresql://[::1]:5433/todo", f"postgresql://[::1]:5433/todo?{NAME}"),
        ("postgresql://:5433/todo", f"postgresql://:5433/todo?{NAME}"),
        ("postgresql://a:5432,b:5433/todo", f"postgresql://a:5432,b:5433/todo?{WRITES}&{NAME}"),
        (
            "postgresql://ada:pw@a,b,c/todo?target_session_attrs=any",
            f"postgresql://ada:pw@a,b,c/todo?target_session_attrs=any&{NAME}",
        ),
        ("postgresql:///todo?host=a,b&port=1,2", f"postgresql:/todo?host=a%2Cb&port=1%2C2&{WRITES}&{NAME}"),
        ("postgresql://db/todo#fragment", f"postgresql://db/todo?{NAME}"),
        ("postgresql://db/todo?sslrootcert=a%2Bb%26c", f"postgresql://db/todo?sslrootcert=a%2Bb%26c&{NAME}"),
    ],
)
def test_the_urls_of_every_provider_are_accepted(url: str, expected: str) -> None:
    assert driver_url(url) == expected


def test_the_driver_url_of_a_driver_url_is_unchanged() -> None:
    once = driver_url("postgres://ada:p%40w@/todo?host=/var/run&sslmode=disable&pgbouncer=true")
    assert driver_url(once) == once


def test_a_socket_directory_may_be_in_the_query() -> None:
    parts = urlsplit(driver_url("postgresql:///todo?host=/var/run/postgresql&port=5433"))

    assert (parts.scheme, parts.netloc, parts.path) == ("postgresql", "", "/todo")
    assert parse_qs(parts.query)["host"] == ["/var/run/postgresql"]
    assert parse_qs(parts.query)["port"] == ["5433"]


@pytest.mark.parametrize(
    "url",
    [
        "",
        "secret",
        "ada:secret@db/todo",
        "mysql://ada:secret@db/todo",
        "sqlite:///secret.db",
        "http://ada:secret@db/todo",
        "postgresqlx://ada:secret@db/todo",
        "://ada:secret@db/todo",
        "postgresql://ada:secret@[db/todo",
        "postgresql://ada:secret/word@db/todo",
        "postgresql://ada:secret#word@db/todo",
        "postgresql://ada:secret@word@db/todo",
        "postgresql://ada:secret℀@db/todo",
        "postgresql://db/todo?secret",
        "postgresql://a,,b/todo?password=secret",
        "postgresql:///todo?host=a,b,c&port=1,2&password=secret",
        "postgresql://ada:secret@db/todo?sslmode",
        "postgresql://ada:secret@db:99999/todo",
        "postgresql://ada:secret@db:port/todo",
    ],
)
def test_other_addresses_are_refused_without_being_quoted(url: str) -> None:
    with pytest.raises(DatabaseUrlError) as refusal:
        create_engine(DatabaseConfig(url=url))

    assert "secret" not in "".join(traceback.format_exception(refusal.value))


async def test_each_form_of_a_socket_connects(
    database_url: str, connect: Callable[..., Service], tmp_path: Path
) -> None:
    parts = urlsplit(database_url)
    query = parse_qs(parts.query)
    if "host" not in query:
        pytest.skip("this server is not reached through a socket")
    host, port, name = query["host"][0], query.get("port", ["5432"])[0], parts.path
    user = unquote(parts.username or "postgres")
    for url in (
        f"postgresql://{user}@{quote(host, safe='')}:{port}{name}",
        f"postgres://{user}@{name}?host={quote(host)}&port={port}&channel_binding=require&pgbouncer=true",
        f"postgresql+asyncpg://{name}?host={host}&port={port}&user={user}&connect_timeout=3",
    ):
        assert await connect(url, pool_size=1).read(VERSION, {})


async def test_the_settings_of_the_address_reach_the_server(server_url: str, connect: Callable[..., Service]) -> None:
    separator = "&" if urlsplit(server_url).query else "?"
    url = f"{server_url}{separator}options=-c%20statement_timeout%3D4321"
    async with connect(url).engine.connect() as connection:
        names = ("statement_timeout", "application_name")
        shown = [(await connection.exec_driver_sql(f"SHOW {name}")).scalar_one() for name in names]
    assert shown == ["4321ms", "todo-api"]
