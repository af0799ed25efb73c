"""The import parser: the same result for every split of a document into parts."""

import json
import time
from collections.abc import AsyncIterator, Iterator
from uuid import UUID

import pytest
from tests.http.imports import MALFORMED, a_task, document

from todo_api.adapters.http.import_document import read_items
from todo_api.adapters.http.problems import ContentTooLargeError, RequestError
from todo_api.domain.task import Task

LIMIT = 1024 * 1024
TASKS = [
    a_task(1, title='" \\" }]{[ \\\\', description="\\"),
    a_task(2, title="Ünï \U0001f600", description="\n\t" * 50),
    a_task(3, deleted_at="2026-01-02T03:04:05Z"),
    a_task(4, tags=["}", "]", '"{'], checklist=[{"title": "[{\\"}], due_date="2026-12-31"),
]


async def cut(content: bytes, size: int) -> AsyncIterator[bytes]:
    for start in range(0, len(content), size):
        yield content[start : start + size]
        yield b""  # a server may send these


async def read(content: bytes, size: int, limit: int = LIMIT) -> tuple[list[str], str]:
    """Return the titles of the tasks, and the error after them."""
    titles = []
    try:
        async for item in read_items("ada", cut(content, size), limit):
            titles.append(item.title if isinstance(item, Task) else item.name)  # noqa: PERF401 - those before an error too
    except RequestError as error:
        return titles, str(error)
    return titles, ""


def documents() -> Iterator[tuple[str, bytes]]:
    for indent, ascii_only in ((None, True), (2, False)):
        yield f"good {indent}", json.dumps(document(*TASKS), indent=indent, ensure_ascii=ascii_only).encode()
    yield from ((name, content) for name, (content, _) in MALFORMED.items() if len(content) < 10_000)


DOCUMENTS = dict(documents())


@pytest.mark.parametrize("name", DOCUMENTS)
async def test_pieces_of_any_size_are_read_as_the_whole(name: str) -> None:
    content = DOCUMENTS[name]
    whole = await read(content, LIMIT)
    assert (whole == ([str(task["title"]) for task in TASKS], "")) == name.startswith("good")
    for size in (1, 2, 3, 5, 7, 64, 65, 500):
        assert await read(content, size) == whole


@pytest.mark.parametrize("size", [1, 10, 100, 10_000])
async def test_the_limit_is_for_each_task(size: int) -> None:
    content = json.dumps(document(*(a_task(number, description="x" * 300) for number in range(9)))).encode()
    longest = max(len(json.dumps(a_task(number, description="x" * 300))) for number in range(9))
    assert (await read(content, size, longest))[1] == ""
    titles, error = await read(content, size, longest - 1)
    assert (titles, error) == ([], f"each list and task must have at most {longest - 1} bytes")


async def test_white_space_is_no_part_of_a_task() -> None:
    content = json.dumps(document(*TASKS)).encode().replace(b"}, {", b"}" + b" " * 9_000 + b", {")
    assert await read(content, 100, 1_000) == ([task["title"] for task in TASKS], "")


async def test_an_endless_task_is_refused() -> None:
    received = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal received
        yield json.dumps(document()).encode()[:-2] + b'{"title": "'
        while True:
            received += 1000
            yield b"x" * 1000

    with pytest.raises(ContentTooLargeError):
        await anext(read_items("ada", endless(), 10_000))
    assert received < 30_000


async def test_many_small_pieces_take_no_longer_than_few_large_ones() -> None:
    content = json.dumps(document(a_task(1, description="x" * 1_000_000))).encode()
    started = time.process_time()
    _, error = await read(content, 64)
    assert "description" in error
    assert time.process_time() - started < 2  # scanning everything each time would take minutes


async def test_a_task_may_have_many_brackets() -> None:
    content = json.dumps(document(a_task(1, revision=[[]] * 200_000))).encode()
    assert await read(content, 1_000) == (["Task 1"], "")  # counting them anew for each part would take minutes


async def test_each_task_is_given_as_soon_as_it_is_there() -> None:
    sent = 0

    async def one_by_one() -> AsyncIterator[bytes]:
        nonlocal sent
        yield json.dumps(document()).encode()[:-2]
        for number in range(100):
            sent = number
            yield b"," * (number > 0) + json.dumps(a_task(number)).encode()
        yield b"]}"

    async for task in read_items("ada", one_by_one(), LIMIT):
        assert sent - task.id.int <= 3
    assert task.id == UUID(int=99)
