"""The state of the service."""

from typing import Literal

from pydantic import BaseModel


class Health(BaseModel):
    """The state of the service."""

    status: Literal["ok"]
