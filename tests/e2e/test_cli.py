import fcntl
import json
import re
import socket
import stat
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.e2e.programs import SECRET, TODO_API, Call, Complaint, Started, claims_of, environment

from todo_api.dev.token import kept_secret
from todo_api.dev.welcome import welcome
from todo_api.server.sockets import ServerStartError, listening, url_of


def test_help_lists_the_commands_and_each_has_its_own(call: Call) -> None:
    script = Path(sys.executable).with_name("todo-api")
    overview = subprocess.run([script, "--help"], capture_output=True, text=True, check=True).stdout
    for name in ("dev", "serve", "check", "purge", "invalidate-tokens", "token", "openapi"):
        assert re.search(rf"^ +{name}\s+\w", overview, re.MULTILINE)
        assert call(name, "--help")[1].startswith(f"usage: todo-api {name} ")


def test_no_command_and_wrong_flags_are_usage_errors(call: Call) -> None:
    assert call()[0] == 2
    for wrong in (["--port", "65536"], ["--port", "x"]):
        assert "argument --port" in call("dev", *wrong)[2]
    assert "argument --hours" in call("token", "--hours", "0")[2]
    assert "argument USER" in call("token", "")[2]
    assert "argument --workers" in call("serve", "--workers", "0")[2]


def test_a_token_is_signed_with_the_kept_secret(tmp_path: Path, call: Call) -> None:
    token = call("token")[1]
    kept = tmp_path / ".data" / "secret"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    claims = claims_of(token, kept.read_text().strip())
    assert claims.keys() == {"sub", "iat", "exp"}
    assert claims["sub"] == "dev-user"
    assert claims["exp"] - claims["iat"] == 24 * 3600
    assert abs(datetime.fromtimestamp(claims["iat"], UTC) - datetime.now(UTC)) < timedelta(minutes=1)


def test_a_token_with_options_and_a_given_secret(tmp_path: Path, call: Call) -> None:
    arguments = ["token", "alice", "--hours", "0.5", "--scope", "tasks:read", "--scope", "tasks:write"]
    claims = claims_of(call(*arguments, BETTER_AUTH_SECRET=SECRET)[1], SECRET)
    assert claims["sub"] == "alice"
    assert claims["scope"] == "tasks:read tasks:write"
    assert claims["exp"] - claims["iat"] == 1800
    assert not (tmp_path / ".data").exists()


def test_a_command_waits_for_the_secret_of_another(tmp_path: Path, started: Started) -> None:
    (tmp_path / ".data").mkdir()
    with (tmp_path / ".data" / "secret").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        waiting = started(*TODO_API, "token", cwd=tmp_path, env=environment(), stdout=subprocess.PIPE)
        with pytest.raises(subprocess.TimeoutExpired):
            waiting.wait(2)
        file.write(SECRET)
    assert claims_of(waiting.communicate()[0], SECRET)["sub"] == "dev-user"


def test_a_short_secret_is_refused(complaint: Complaint) -> None:
    assert "BETTER_AUTH_SECRET" in complaint("token", BETTER_AUTH_SECRET="short")


def test_a_partly_written_secret_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("short\n")
    made = kept_secret(tmp_path)
    assert len(made) > 40
    assert kept_secret(tmp_path) == made


def test_openapi_needs_no_configuration(tmp_path: Path, call: Call) -> None:
    document = json.loads(call("openapi")[1])
    assert "/api/tasks" in document["paths"]
    assert not (tmp_path / ".data").exists()


@pytest.mark.parametrize(
    ("host", "name"),
    [
        ("127.0.0.1", "127.0.0.1"),
        ("localhost", "localhost"),
        ("0.0.0.0", "127.0.0.1"),  # where a client finds it
        ("::", "[::1]"),
        ("::1", "[::1]"),
    ],
)
def test_the_printed_url(host: str, name: str) -> None:
    with listening("127.0.0.1", 0) as sockets:
        port = sockets[0].getsockname()[1]
        assert url_of(sockets, host) == f"http://{name}:{port}"


def test_all_addresses_of_a_name_share_a_port() -> None:
    with listening("localhost", 0) as sockets:
        [port] = {one.getsockname()[1] for one in sockets}
        for one in sockets:
            socket.create_connection(one.getsockname()[:2]).close()
        with pytest.raises(ServerStartError, match=f"PORT {port}"), listening("localhost", port):
            pytest.fail("it listened")


def test_a_host_of_another_machine_is_refused() -> None:
    for host in ("192.0.2.1", "no such host"):
        with pytest.raises(ServerStartError, match="HOST"), listening(host, 0):
            pytest.fail("it listened")


def test_brackets_are_quoted_for_the_shell() -> None:
    assert "curl 'http://[::1]:8000/api/tasks' -H" in welcome("http://[::1]:8000", "token", "somewhere")
