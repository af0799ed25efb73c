"""The content of the log. Each test runs a separate process, because logging is configured globally."""

import json
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

PRELUDE = """
import asyncio, logging, sys
import structlog
from todo_api.logs import configure_logs
configure_logs({log_format!r})
secret = "postgresql://user:kept-from-the-log@host"
"""


def logged(program: str, log_format: str = "json") -> str:
    source = PRELUDE.format(log_format=log_format) + textwrap.dedent(program)
    return subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, check=True).stderr


def lines(program: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in logged(program).splitlines()]


def test_all_loggers_write_the_same_format() -> None:
    found = lines("""
        structlog.contextvars.bind_contextvars(request_id="r1")
        structlog.get_logger("todo_api.access").info("request", status=200)
        for name in ("todo_api.adapters", "uvicorn.error", "sqlalchemy.pool", "asyncio"):
            logging.getLogger(name).warning("%s %d", "something", 1)
    """)
    assert [line.get("logger") for line in found] == [
        None,
        "todo_api.adapters",
        "uvicorn.error",
        "sqlalchemy.pool",
        "asyncio",
    ]
    assert found[0]["status"] == 200
    assert {line["event"] for line in found[1:]} == {"something 1"}
    assert {line["request_id"] for line in found} == {"r1"}
    assert {line["level"] for line in found} == {"info", "warning"}
    assert all(line["timestamp"].endswith("Z") for line in found)


ERRORS = """
    def fail():
        raise ValueError(secret)

    try:
        try:
            fail()
        except ValueError as error:
            raise RuntimeError(secret) from error
    except RuntimeError as error:
        logging.getLogger("todo_api").exception("it failed")
        logging.getLogger("uvicorn.error").error("it failed", exc_info=error)
        structlog.get_logger().error("it failed", exc_info=True)

    async def forget():
        async def fail_in_a_task():
            raise ValueError(secret)
        task = asyncio.create_task(fail_in_a_task())
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        del task

    asyncio.run(forget())
"""


def test_errors_are_logged_with_their_traceback_without_their_message() -> None:
    found = lines(ERRORS)
    assert len(found) == 4
    for line in found[:3]:
        assert line["exception"][0] == "builtins.RuntimeError"
        assert "builtins.ValueError" in line["exception"]
        assert any(step.endswith(" fail") for step in line["exception"])
    assert found[3]["event"] == "Task exception was never retrieved"
    assert "kept-from-the-log" not in str(found)


def test_the_console_format_has_the_same_content() -> None:
    found = logged(ERRORS, log_format="console")
    assert "builtins.RuntimeError" in found
    assert "kept-from-the-log" not in found
    assert not found.lstrip().startswith("{")


def test_values_that_are_not_json_are_logged_as_text() -> None:
    (line,) = lines('structlog.get_logger().info("odd", value=object, text="a\\nb")')
    assert line["text"] == "a\nb"


def test_values_of_statements_are_not_logged() -> None:
    (line,) = lines("""
        from sqlalchemy.exc import IntegrityError
        try:
            raise IntegrityError("INSERT", {"title": secret}, Exception(secret))
        except IntegrityError:
            logging.getLogger("todo_api").exception("it failed")
    """)
    assert line["exception"][0] == "sqlalchemy.exc.IntegrityError"
    assert "kept-from-the-log" not in str(line)


def test_warnings_are_logged() -> None:
    (line,) = lines("import warnings; warnings.warn('odd', RuntimeWarning)")
    assert (line["logger"], line["level"]) == ("py.warnings", "warning")
    assert "RuntimeWarning: odd" in line["event"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_failed_write_to_the_log_raises_nothing() -> None:
    program = PRELUDE.format(log_format="json") + "for _ in range(1000): structlog.get_logger().info('request')\n"
    command = [sys.executable, "-c", program + "print('done')"]
    with Path("/dev/full").open("w") as full:
        assert subprocess.run(command, stdout=subprocess.PIPE, stderr=full, check=False).stdout == b"done\n"
