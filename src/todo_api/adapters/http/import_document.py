"""Read the lists and tasks of an import one by one, so that a document of any length needs the memory of one of them.

The document is split by its structure: outside of strings, brackets are counted. Each list and task is then parsed like
any other body.
"""

import re
from codecs import BOM_UTF8
from collections.abc import AsyncGenerator, AsyncIterable, Callable
from dataclasses import replace
from typing import Any, TypeAlias

from todo_api.adapters.http.problems import ContentTooLargeError, FieldError, MalformedJsonError, RequestError
from todo_api.adapters.http.requests import parse_json
from todo_api.adapters.http.schemas.transfer import Import, ImportedList, ImportedTask
from todo_api.adapters.http.validation import validated
from todo_api.application.accounts import Item
from todo_api.domain.errors import InvalidFieldError

_Read: TypeAlias = Callable[[Any], Item]

_CHARACTER = re.compile(rb"[ \t\n\r]*+([^ \t\n\r])")
# A text up to the first brace or bracket outside of strings. Possessive quantifiers keep the time linear.
_TO_BRACKET = re.compile(rb'((?:[^][{}"]++|"(?:[^"\\]++|\\.)*+")*+)([][{}])', re.DOTALL)
# The text that closes an object of the head, by the brace or bracket where it was cut.
_ENDS = {b"}": b"}", b"[": b"[]}", b"{": b"{}}", b"]": b"]"}
_CLOSING = {b"{": b"}", b"[": b"]"}
_MAX_DEPTH = 8  # an item of a checklist has depth 3


async def read_items(user_id: str, content: AsyncIterable[bytes], max_bytes: int) -> AsyncGenerator[Item]:
    """Yield the lists and then the tasks of an export, owned by the user.

    Args:
        user_id: The new owner.
        content: The document, in parts of any size.
        max_bytes: The maximum length of each list and task.

    Raises:
        RequestError: The document is not an export, or a list or task is not valid.
        MalformedJsonError: The document is not JSON.
        ContentTooLargeError: A list or task, or what precedes them, is longer than `max_bytes`.
    """
    window = _Window(content, max_bytes)
    if head := await _read_head(window):
        async for item in _read_array(window, "lists", lambda value: _read_list(value, user_id)):
            yield item
        await _read_between(window, head)
    async for item in _read_array(window, "tasks", lambda value: _read_task(value, user_id)):
        yield item
    await _read_end(window)


async def _read_head(window: "_Window") -> dict[str, Any]:
    """Read up to the first array. Return the fields before it if it is that of the lists."""
    await window.skip_byte_order_mark()
    if await window.peek() != b"{":
        raise RequestError.at("body", "body", "must be an export: a JSON object with format and tasks")
    await window.take()
    text, end = await window.to_bracket()
    document = parse_json(b"{" + text + _ENDS[end])
    if end == b"[" and isinstance(document, dict) and list(document)[-1:] == ["lists"]:
        _check_head(document | {"tasks": []}, "lists")
        return document
    _check_head(document, "tasks")
    return {}


async def _read_between(window: "_Window", head: dict[str, Any]) -> None:
    """Read what is between the lists and the tasks."""
    separator = await window.take()
    if separator == b"}":
        _check_head(head, "tasks")
    if separator != b",":
        raise _malformed("there must be a comma after the lists")
    text, end = await window.to_bracket()
    _check_head(head | parse_json(b"{" + text + _ENDS[end]), "tasks")


def _check_head(document: Any, before: str) -> None:
    try:
        validated("body", Import, document)
    except RequestError as error:
        raise RequestError.of([_explain_order(item, before) for item in error.errors]) from error


def _explain_order(error: FieldError, before: str) -> FieldError:
    """Tell the client that fields after the lists or tasks are not read."""
    is_missing = error.detail == "is required" and error.field != "tasks"
    return replace(error, detail=f"is required, before the {before}") if is_missing else error


async def _read_array(window: "_Window", name: str, read: _Read) -> AsyncGenerator[Item]:
    """Yield the items of an array whose opening bracket has been read, and read its closing one."""
    if await window.peek() == b"]":
        await window.take()
        return
    index, character = 0, b","
    while character == b",":
        try:
            if await window.peek() != b"{":
                raise RequestError.at("body", "body", "must be a JSON object")
            item = read(parse_json(await window.object()))
        except ContentTooLargeError:
            raise
        except RequestError as error:
            raise _inside(f"{name}.{index}", error) from error
        yield item
        index, character = index + 1, await window.take()
    if character != b"]":
        raise _malformed(f"there must be a comma or a bracket after {name}.{index - 1}")


def _read_list(value: Any, user_id: str) -> Item:
    return validated("body", ImportedList, value).task_list(user_id)


def _read_task(value: Any, user_id: str) -> Item:
    try:
        return validated("body", ImportedTask, value).task(user_id)
    except InvalidFieldError as error:
        raise RequestError.at("body", error.field, error.detail) from error


async def _read_end(window: "_Window") -> None:
    character = await window.take()
    if character == b",":
        raise MalformedJsonError.at("body", "tasks", "must be the last field: put the lists and all others before it")
    if character != b"}":
        raise _malformed("there must be a brace after the tasks")
    if await window.next():
        raise _malformed("there must be nothing after the document")


def _inside(path: str, error: RequestError) -> RequestError:
    """Return the error with its fields prefixed with the path of the list or task."""
    names = {item.field: "" if item.field == "body" else f".{item.field}" for item in error.errors}
    return type(error).of([replace(item, field=f"{path}{names[item.field]}") for item in error.errors])


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

    async def to_bracket(self) -> tuple[bytes, bytes]:
        """Read up to the next brace or bracket outside of strings; return the text before it and that character.

        Raises:
            ContentTooLargeError: The text is too long.
        """
        text, bracket = await self._find_bracket(self._position)
        self._position += len(text) + 1
        if len(text) > self._max_bytes:
            raise self._too_large()
        return text, bracket

    async def object(self) -> bytes:
        """Read the object that starts here.

        Raises:
            ContentTooLargeError: The text is too long.
            RequestError: The object is nested too deeply.
        """
        closing: list[bytes] = []
        length = 0
        while closing or not length:
            text, bracket = await self._find_bracket(self._position + length)
            length += len(text) + 1
            if bracket in _CLOSING:
                closing.append(_CLOSING[bracket])
            elif closing.pop() != bracket:
                raise _malformed("a brace or bracket does not match")
            if len(closing) > _MAX_DEPTH:
                raise RequestError.at("body", "body", "must not be nested so deeply")
        if length > self._max_bytes:
            raise self._too_large()
        start, self._position = self._position, self._position + length
        return bytes(self._text[start : self._position])

    async def _find_bracket(self, position: int) -> tuple[bytes, bytes]:
        """Return the text from a position up to the next brace or bracket, and that character."""
        while not (match := _TO_BRACKET.match(self._text, position)):
            position -= self._position  # what is before it is dropped
            if not await self._receive():
                raise _malformed("it ends too early")
        return bytes(match[1]), bytes(match[2])

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
        return ContentTooLargeError(f"each list and task must have at most {self._max_bytes:,} bytes")
