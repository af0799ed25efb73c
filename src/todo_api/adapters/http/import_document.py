"""Read the tasks of an import one by one, so that a document of any length needs the memory of one task.

The document is split by its structure: outside of strings, tasks are flat objects. Each task is then parsed like any
other body.
"""

import re
from codecs import BOM_UTF8
from collections.abc import AsyncGenerator, AsyncIterable
from dataclasses import replace

from todo_api.adapters.http.problems import ContentTooLargeError, FieldError, MalformedJsonError, RequestError
from todo_api.adapters.http.requests import parse_json
from todo_api.adapters.http.schemas.account import Import, ImportedTask
from todo_api.adapters.http.validation import validated
from todo_api.domain.task import Task

_CHARACTER = re.compile(rb"[ \t\n\r]*+([^ \t\n\r])")
# An object up to the first brace or bracket inside it, or to its end. Possessive quantifiers keep the time linear.
_FLAT = re.compile(rb'(\{(?:[^][{}"]++|"(?:[^"\\]++|\\.)*+")*+)([][{}])', re.DOTALL)
# The text that closes such an object, by the brace or bracket where it was cut.
_ENDS = {b"}": b"}", b"[": b"[]}", b"{": b"{}}", b"]": b"]"}


async def read_tasks(user_id: str, content: AsyncIterable[bytes], max_bytes: int) -> AsyncGenerator[Task]:
    """Yield the tasks of an export, owned by the user.

    Args:
        user_id: The new owner of the tasks.
        content: The document, in parts of any size.
        max_bytes: The maximum length of each task.

    Raises:
        RequestError: The document is not an export, or a task is not valid.
        MalformedJsonError: The document is not JSON.
        ContentTooLargeError: A task, or the part before the tasks, is longer than `max_bytes`.
    """
    window = _Window(content, max_bytes)
    await _read_head(window)
    if await window.peek() == b"]":
        await window.take()
    else:
        index, character = 0, b","
        while character == b",":
            yield await _read_task(window, index, user_id)
            index, character = index + 1, await window.take()
        if character != b"]":
            raise _malformed(f"there must be a comma or a bracket after tasks.{index - 1}")
    await _read_end(window)


async def _read_head(window: "_Window") -> None:
    await window.skip_byte_order_mark()
    if await window.peek() != b"{":
        raise RequestError.at("body", "body", "must be an export: a JSON object with format and tasks")
    text, end = await window.flat()
    document = parse_json(text + _ENDS[end])
    try:
        validated("body", Import, document)
    except RequestError as error:
        raise RequestError.of([_explain_order(item) for item in error.errors]) from error


def _explain_order(error: FieldError) -> FieldError:
    """Tell the client that fields after the tasks are not read."""
    is_missing = error.detail == "is required" and error.field != "tasks"
    return replace(error, detail="is required, before the tasks") if is_missing else error


async def _read_task(window: "_Window", index: int, user_id: str) -> Task:
    if await window.peek() != b"{":
        raise RequestError.at("body", f"tasks.{index}", "must be a JSON object")
    text, end = await window.flat()
    try:
        if end != b"}":
            raise RequestError.at("body", "body", "must have no lists and no objects in it")
        return validated("body", ImportedTask, parse_json(text + end)).task(user_id)
    except RequestError as error:
        raise _in_task(index, error) from error


async def _read_end(window: "_Window") -> None:
    if await window.take() != b"}":
        raise _malformed("there must be nothing after the tasks")
    if await window.next():
        raise _malformed("there must be nothing after the document")


def _in_task(index: int, error: RequestError) -> RequestError:
    """Return the error with its fields prefixed with the path of the task."""
    names = {item.field: "" if item.field == "body" else f".{item.field}" for item in error.errors}
    return type(error).of([replace(item, field=f"tasks.{index}{names[item.field]}") for item in error.errors])


def _malformed(detail: str) -> MalformedJsonError:
    return MalformedJsonError.at("body", "body", f"is not valid JSON: {detail}")


class _Window:
    """The part of the document that has arrived and has not been read."""

    def __init__(self, content: AsyncIterable[bytes], max_bytes: int) -> None:
        self._content = aiter(content)
        self._max_bytes = max_bytes
        self._text = bytearray()
        self._position = 0

    async def skip_byte_order_mark(self) -> None:
        """Skip the mark that may be at the start of the document (RFC 8259, section 8.1)."""
        while BOM_UTF8.startswith(self._text) and len(self._text) < len(BOM_UTF8):
            if not await self._receive():
                return
        if self._text.startswith(BOM_UTF8):
            self._position = len(BOM_UTF8)

    async def peek(self) -> bytes:
        """Return the next character that is not white space, without reading it."""
        if character := await self.next():
            return character
        raise _malformed("it ends too early")

    async def take(self) -> bytes:
        """Read the next character that is not white space."""
        character = await self.peek()
        self._position += 1
        return character

    async def flat(self) -> tuple[bytes, bytes]:
        """Read the object that starts here up to the first brace or bracket; return the text and that character.

        Raises:
            ContentTooLargeError: The text is too long.
        """
        while not (match := _FLAT.match(self._text, self._position)):
            if not await self._receive():
                raise _malformed("it ends too early")
        if len(match[0]) > self._max_bytes:
            raise self._too_large()
        self._position = match.end()
        return match[1], match[2]

    async def next(self) -> bytes:
        """Return the next character that is not white space, or b"" at the end, without reading it."""
        while not (match := _CHARACTER.match(self._text, self._position)):
            self._position = len(self._text)
            if not await self._receive():
                return b""
        self._position = match.start(1)
        return match[1]

    async def _receive(self) -> bool:
        """Wait until the text has doubled, so that many small parts take no longer than a few large ones.

        Return whether anything has arrived.
        """
        del self._text[: self._position]
        self._position = 0
        length = len(self._text)
        if length > self._max_bytes:
            raise self._too_large()
        async for part in self._content:
            self._text += part
            if len(self._text) > 2 * length:
                break
        return len(self._text) > length

    def _too_large(self) -> ContentTooLargeError:
        return ContentTooLargeError(f"each task must have at most {self._max_bytes:,} bytes")
