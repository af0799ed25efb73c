"""The ids of tasks, as requests name them."""

import re
from typing import Annotated
from uuid import UUID

from pydantic import PlainValidator, WithJsonSchema

from todo_api.domain.errors import TaskNotFoundError

_UUID = re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


def task_uuid(text: str) -> UUID:
    """Return the id, or raise TaskNotFoundError: what is no UUID in its usual form is no task's id either."""
    if not _UUID.fullmatch(text):
        raise TaskNotFoundError
    return UUID(text)


def _uuid(value: object) -> UUID:
    if isinstance(value, str) and _UUID.fullmatch(value):
        return UUID(value)
    raise ValueError("must be a UUID")


_ID = {"type": "string", "format": "uuid", "examples": ["019aa2f3-7c1e-7cc3-98c4-dc0c0c07398f"]}
TaskUuid = Annotated[UUID, PlainValidator(_uuid), WithJsonSchema(_ID)]
