"""A process of the service, with its own engine."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from todo_api.adapters.sqlalchemy.engine import FairEngine
from todo_api.adapters.sqlalchemy.errors import reads, writes
from todo_api.adapters.sqlalchemy.execution import Row, Statement, fetch
from todo_api.adapters.sqlalchemy.hot_path import HotPath
from todo_api.adapters.sqlalchemy.observation import Observe
from todo_api.adapters.sqlalchemy.task_repository import SqlAlchemyTaskRepository


class Service:
    """Runs any statement with the retries and errors of the adapters, with or without the hot path."""

    def __init__(self, engine: FairEngine, *, hot_path: bool, observe: Observe | None = None) -> None:
        self.engine = engine
        fast = HotPath(engine, observe) if hot_path else None
        self.tasks = SqlAlchemyTaskRepository(engine, fast)
        self._fetch = fast.fetch if fast else partial(fetch, engine)

    @reads
    async def read(self, statement: Statement, values: Mapping[str, Any]) -> Sequence[Row]:
        return await self._fetch(statement, values)

    @writes
    async def write(self, statement: Statement, values: Mapping[str, Any]) -> Sequence[Row]:
        return await self._fetch(statement, values)
