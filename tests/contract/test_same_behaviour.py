"""Both adapters get the same random commands and must give the same results."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import closing
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any, TypeVar

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, multiple, rule, run_state_machine_as_test
from tests.conftest import new_user_id
from tests.domain.builders import NOW, a_task, later, stopped_clock

from todo_api.adapters.memory.repository import InMemoryTaskRepository
from todo_api.adapters.memory.store import Store
from todo_api.adapters.sqlalchemy.driver import DatabaseConfig
from todo_api.adapters.sqlalchemy.engine import create_engine
from todo_api.adapters.sqlalchemy.task_repository import SqlAlchemyTaskRepository
from todo_api.domain.errors import TodoError
from todo_api.domain.listing import Order, Position, Sort, Status, TaskPage, TaskQuery
from todo_api.domain.ports import TaskRepository
from todo_api.domain.task import Task

T = TypeVar("T")

few_users = st.integers(0, 1)
few_titles = st.text("aAäÄß_ .日\U0001f600", min_size=1, max_size=3)
few_instants = st.integers(0, 4).map(later)
few_due_dates = st.sampled_from(
    [
        None,
        date(2026, 1, 1),
        datetime(2026, 1, 1),  # noqa: DTZ001
        datetime(2026, 1, 1, tzinfo=UTC),
        datetime(2026, 1, 1, 12, tzinfo=UTC),
        date.min,
        datetime.max.replace(tzinfo=UTC),
    ]
)


class Comparison(RuleBasedStateMachine):
    """Two users write and read. Versions are earlier states of tasks; positions belong to some list."""

    versions: Bundle[Task] = Bundle("versions")
    positions: Bundle[tuple[int, TaskQuery, Position]] = Bundle("positions")

    def __init__(self, run: Callable[[Awaitable[Any]], Any], postgres: TaskRepository) -> None:
        super().__init__()
        self.run = run
        self.repositories: tuple[TaskRepository, ...] = (InMemoryTaskRepository(Store(stopped_clock)), postgres)
        self.users = (new_user_id(), new_user_id())

    def both(self, call: Callable[[TaskRepository], Awaitable[T]]) -> T | type[TodoError]:
        """Run the same command on both, compare the results and return them."""
        memory, postgres = (self.run(self.outcome(call(repository))) for repository in self.repositories)
        assert memory == postgres
        return postgres  # type: ignore[no-any-return] # `run` takes any awaitable

    @staticmethod
    async def outcome(call: Awaitable[T]) -> T | type[TodoError]:
        try:
            return await call
        except TodoError as error:
            return type(error)

    @rule(
        target=versions,
        user=few_users,
        task_id=st.uuids(),
        title=few_titles,
        created_at=few_instants,
        due_date=few_due_dates,
        completed=st.booleans(),
    )
    def add(self, user: int, **values: Any) -> Any:
        task = a_task(self.users[user], **values)
        return self.both(lambda repository: repository.add(task))

    @rule(
        target=versions,
        version=versions,
        title=few_titles,
        due_date=few_due_dates,
        completed_at=st.none() | few_instants,
        other_user=st.booleans(),
    )
    def save(self, version: Task, other_user: bool, completed_at: datetime | None, **values: Any) -> Any:  # noqa: FBT001
        user_id = self.users[version.user_id == self.users[0]] if other_user else version.user_id
        changed = replace(
            version, user_id=user_id, completed=completed_at is not None, completed_at=completed_at, **values
        )
        saved = self.both(lambda repository: repository.save(changed))
        return saved if isinstance(saved, Task) else multiple()

    @rule(version=versions, user=few_users)
    def get(self, version: Task, user: int) -> None:
        self.both(lambda repository: repository.get(self.users[user], version.id))

    @rule(version=consumes(versions), anyhow=st.booleans(), user=few_users)
    def remove(self, version: Task, anyhow: bool, user: int) -> None:  # noqa: FBT001
        revision = None if anyhow else version.revision
        self.both(lambda repository: repository.remove(self.users[user], version.id, revision, now=NOW))

    @rule(
        target=positions,
        user=few_users,
        query=st.builds(
            TaskQuery,
            status=st.sampled_from(Status),
            sort=st.sampled_from(Sort),
            order=st.sampled_from(Order),
            limit=st.integers(1, 3),
        ),
        known=st.lists(st.integers(0, 10), max_size=2),
    )
    def page(self, user: int, query: TaskQuery, known: list[int]) -> Any:
        return self.turned(user, query, known)

    @rule(target=positions, position=positions, known=st.lists(st.integers(0, 10), max_size=1))
    def next_page(self, position: tuple[int, TaskQuery, Position], known: list[int]) -> Any:
        user, query, after = position
        return self.turned(user, replace(query, after=after), known)

    def turned(self, user: int, query: TaskQuery, known: list[int]) -> Any:
        page = self.both(lambda repository: repository.page(self.users[user], query, known))
        assert isinstance(page, TaskPage)
        return multiple() if page.next is None else (user, query, page.next)


def test_both_adapters_behave_the_same(database_url: str) -> None:
    with closing(asyncio.new_event_loop()) as loop:
        engine = create_engine(DatabaseConfig(url=database_url, pool_size=1))
        try:
            run_state_machine_as_test(
                lambda: Comparison(loop.run_until_complete, SqlAlchemyTaskRepository(engine)),  # type: ignore[arg-type] # any factory
                settings=settings(max_examples=40, stateful_step_count=30, deadline=None),
            )
        finally:
            loop.run_until_complete(engine.dispose())
