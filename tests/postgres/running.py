"""Run any statement as the adapters run theirs: with their retries and errors."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Executable
from sqlalchemy.ext.asyncio import AsyncEngine

from todo_api.adapters.sqlalchemy.errors import reads, writes
from todo_api.adapters.sqlalchemy.execution import Row, fetch


@dataclass(frozen=True)
class _Adapter:
    engine: AsyncEngine

    @reads
    async def read(self, statement: Executable, values: Mapping[str, Any]) -> Sequence[Row]:
        return await fetch(self.engine, statement, values)

    @writes
    async def write(self, statement: Executable, values: Mapping[str, Any]) -> Sequence[Row]:
        return await fetch(self.engine, statement, values)


async def read(engine: AsyncEngine, statement: Executable, values: Mapping[str, Any]) -> Sequence[Row]:
    return await _Adapter(engine).read(statement, values)


async def write(engine: AsyncEngine, statement: Executable, values: Mapping[str, Any]) -> Sequence[Row]:
    return await _Adapter(engine).write(statement, values)
