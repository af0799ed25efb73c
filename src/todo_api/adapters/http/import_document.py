"""Reads an export back, task by task: however long the document is, no more than one task of it is kept.

The document is cut where its structure says so, strings aside, and the pieces are read by the parser of all other
bodies: what is JSON, and what is a task, is the same everywhere.
"""

import re
from collections.abc import AsyncGenerator, AsyncIterable
from dataclasses import replace
from typing import NoReturn

from pydantic import ValidationError

from todo_api.adapters.http.account_schemas import Import, ImportedTask
from todo_api.adapters.http.problems import ContentTooLargeError, FieldError, MalformedJsonError, RequestError
from todo_api.adapters.http.requests import refuse_numbers_that_json_has_not
from todo_api.adapters.http.validation import to_request_error
from todo_api.domain.task import Task

_MARK = re.compile(rb"[ \t\n\r]*+([^ \t\n\r])")
# An object's text up to the first brace or bracket behind its own. Possessive, so that no text takes long.
_FLAT = re.compile(rb'(\{(?:[^][{}"]++|"(?:[^"\\]++|\\.)*+")*+)([][{}])', re.DOTALL)
# What makes such a text whole again.
_ENDS = {b"}": b"}", b"[": b"[]}", b"{": b"{}}", b"]": b"]"}


async def read_tasks(user_id: str, content: AsyncIterable[bytes], max_bytes: int) -> AsyncGenerator[Task]:
    """Yield the tasks of an export, as the user's own.

    Args:
        user_id: Whose they shall be.
        content: The document, in pieces of any size.
        max_bytes: How long each task may be.

    Raises:
        RequestError: The document is no export, or a task is none.
        MalformedJsonError: The document is not JSON.
        ContentTooLargeError: A task, or what precedes the tasks, is longer than `max_bytes`.
    """
    window = _Window(content, max_bytes)
    await _read_head(window)
    if await window.peek() == b"]":
        await window.take()
    else:
        index, mark = 0, b","
        while mark == b",":
            yield await _read_task(window, index, user_id)
            index, mark = index + 1, await window.take()
        if mark != b"]":
            raise _malformed(f"there must be a comma or a bracket behind tasks.{index - 1}")
    await _read_end(window)


async def _read_head(window: "_Window") -> None:
    if await window.peek() != b"{":
        raise RequestError.of([FieldError("body", "body", "must be an export: a JSON object with format and tasks")])
    text, mark = await window.flat()
    refuse_numbers_that_json_has_not(text + _ENDS[mark])
    try:
        Import.model_validate_json(text + _ENDS[mark])
    except ValidationError as error:
        fault = to_request_error("body", error, Import.model_fields)
        raise type(fault).of([_that_it_may_come_too_late(item) for item in fault.errors]) from error


def _that_it_may_come_too_late(fault: FieldError) -> FieldError:
    is_missing = fault.detail == "is required" and fault.field != "tasks"
    return replace(fault, detail="is required, before the tasks") if is_missing else fault


async def _read_task(window: "_Window", index: int, user_id: str) -> Task:
    if await window.peek() != b"{":
        raise RequestError.of([FieldError("body", f"tasks.{index}", "must be a JSON object")])
    text, mark = await window.flat()
    try:
        if mark != b"}":
            raise RequestError.of([FieldError("body", "body", "must have no lists and no objects in it")])
        refuse_numbers_that_json_has_not(text + mark)
        return ImportedTask.model_validate_json(text + mark).task(user_id)
    except ValidationError as error:
        raise _of_task(index, to_request_error("body", error, ImportedTask.model_fields)) from error
    except RequestError as error:
        raise _of_task(index, error) from error


async def _read_end(window: "_Window") -> None:
    if await window.take() != b"}":
        raise _malformed("there must be nothing behind the tasks")
    if not await window.is_over():
        raise _malformed("there must be nothing behind the document")


def _of_task(index: int, error: RequestError) -> RequestError:
    """Return the error with its fields as those of the task."""
    names = {item.field: "" if item.field == "body" else f".{item.field}" for item in error.errors}
    return type(error).of([replace(item, field=f"tasks.{index}{names[item.field]}") for item in error.errors])


def _malformed(detail: str) -> MalformedJsonError:
    return MalformedJsonError.of([FieldError("body", "body", f"is not valid JSON: {detail}")])


class _Window:
    """What has come of the document and has not been read."""

    def __init__(self, content: AsyncIterable[bytes], max_bytes: int) -> None:
        """Take the document, and how long a part of it may be that is read at once."""
        self._content = aiter(content)
        self._max_bytes = max_bytes
        self._text = bytearray()
        self._position = 0

    async def peek(self) -> bytes:
        """Return the next character that is no white space, and stay before it."""
        return await self._next() or self._ends_early()

    async def take(self) -> bytes:
        """Return the next character that is no white space, and go past it."""
        mark = await self.peek()
        self._position += 1
        return mark

    async def flat(self) -> tuple[bytes, bytes]:
        """Return the text of the object that begins here up to the next brace or bracket, and that; go past it.

        Raises:
            ContentTooLargeError: It is longer than a part may be.
        """
        while not (match := _FLAT.match(self._text, self._position)):
            await self._receive() or self._ends_early()
        if len(match[0]) > self._max_bytes:
            raise self._too_large()
        self._position = match.end()
        return match[1], match[2]

    async def is_over(self) -> bool:
        """Say whether there is nothing left but white space."""
        return not await self._next()

    async def _next(self) -> bytes:
        """Return the next character that is no white space, or nothing at the end, and stay before it."""
        while not (mark := _MARK.match(self._text, self._position)):
            self._position = len(self._text)
            if not await self._receive():
                return b""
        self._position = mark.start(1)
        return mark[1]

    async def _receive(self) -> bool:
        """Wait until there is twice as much; say whether anything has come.

        As each part is looked at again only when it has doubled, many small pieces take no longer than few large ones.
        """
        del self._text[: self._position]
        self._position = 0
        had = len(self._text)
        if had > self._max_bytes:
            raise self._too_large()
        async for piece in self._content:
            self._text += piece
            if len(self._text) > 2 * had:
                break
        return len(self._text) > had

    def _ends_early(self) -> NoReturn:
        raise _malformed("it ends too early")

    def _too_large(self) -> ContentTooLargeError:
        return ContentTooLargeError(f"each task must have at most {self._max_bytes:,} bytes")
