"""`todo-api distribute` on one server; tests/postgres/test_citus.py runs it on a cluster."""

from tests.e2e.programs import SECRET, Call, migrate


def test_without_the_extension_it_says_what_to_install(fresh_database: str, call: Call) -> None:
    migrate(fresh_database)
    status, printed, complaint = call("distribute", DATABASE_URL=fresh_database)
    assert (status, printed) == (1, "")
    assert "CREATE EXTENSION citus" in complaint


def test_the_schema_comes_first(fresh_database: str, call: Call) -> None:
    status, printed, complaint = call("distribute", DATABASE_URL=fresh_database)
    assert (status, printed) == (1, "")
    assert "alembic upgrade head" in complaint


def test_a_check_does_not_mention_it_on_one_server(fresh_database: str, call: Call) -> None:
    migrate(fresh_database)
    _, printed, _ = call("check", DATABASE_URL=fresh_database, BETTER_AUTH_SECRET=SECRET)
    assert "responds, at revision" in printed
    assert "distribute" not in printed
