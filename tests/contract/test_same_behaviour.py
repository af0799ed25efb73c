"""Both adapters get the same random commands and must give the same results."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import datetime
from itertools import count
from typing import Any, TypeVar
from uuid import UUID

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, multiple, rule, run_state_machine_as_test
from tests.conftest import new_user_id
from tests.contract.commands import few_due_dates, few_tags, few_titles, list_ids, operations, queries, task_ids
from tests.domain.builders import NOW, a_task, later
from tests.storages import Storage, in_memory, in_postgres

from todo_api.adapters.sqlalchemy.driver import DatabaseConfig
from todo_api.adapters.sqlalchemy.engine import create_engine
from todo_api.domain.changes import SyncPoint
from todo_api.domain.errors import TodoError
from todo_api.domain.listing import Position, TaskPage, TaskQuery
from todo_api.domain.operations import Operation, Result
from todo_api.domain.overview import DueViews
from todo_api.domain.selection import Selection
from todo_api.domain.task import Task
from todo_api.domain.task_changes import Priority
from todo_api.domain.workspace import Workspace

T = TypeVar("T")

few_users = st.integers(0, 1)
few_instants = st.integers(0, 4).map(later)
quotas = st.none() | st.integers(1, 6)


class Comparison(RuleBasedStateMachine):
    """Two users write and read. Versions are earlier states of tasks; positions belong to some list."""

    versions: Bundle[Task] = Bundle("versions")
    positions: Bundle[tuple[int, TaskQuery, Position]] = Bundle("positions")

    def __init__(self, run: Callable[[Awaitable[Any]], Any], postgres: Storage) -> None:
        super().__init__()
        self.run = run
        self.storages = (in_memory(), postgres)
        self.users = (new_user_id(), new_user_id())
        self.edits = 0

    def both(self, call: Callable[[Storage], Awaitable[T]]) -> T | type[TodoError]:
        """Run the same command on both, compare the results and return them."""
        memory, postgres = (self.run(self.outcome(call(storage))) for storage in self.storages)
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
        task_id=task_ids | st.uuids(),
        title=few_titles,
        created_at=few_instants,
        due_date=few_due_dates,
        completed=st.booleans(),
        list_id=st.none() | list_ids,
        priority=st.sampled_from(Priority),
        tags=few_tags.map(tuple),
        quota=quotas,
    )
    def add(self, user: int, quota: int | None, **values: Any) -> Any:
        task = a_task(self.users[user], **values)
        added = self.both(lambda storage: storage.tasks.add(task, quota))
        return added if isinstance(added, Task) else multiple()

    @rule(
        target=versions,
        version=versions,
        title=few_titles,
        due_date=few_due_dates,
        completed_at=st.none() | few_instants,
        list_id=st.none() | list_ids,
        other_user=st.booleans(),
        quota=quotas,
    )
    def save(
        self,
        version: Task,
        completed_at: datetime | None,
        quota: int | None,
        *,
        other_user: bool,
        **values: Any,
    ) -> Any:
        user_id = self.users[version.user_id == self.users[0]] if other_user else version.user_id
        changed = replace(
            version, user_id=user_id, completed=completed_at is not None, completed_at=completed_at, **values
        )
        spawned = changed.spawn(self.new_ids()(), now=NOW) if changed.completed and not version.completed else None
        task, successor = spawned or (changed, None)
        saved = self.both(lambda storage: storage.tasks.save(task, successor, quota))
        return saved if isinstance(saved, Task) else multiple()

    @rule(target=versions, user=few_users, steps=st.lists(operations, min_size=1, max_size=4), quota=quotas)
    def edit(self, user: int, steps: Sequence[Operation], quota: int | None) -> Any:
        """A step that fails is left out, as in a batch that is not atomic."""
        self.edits += 1

        def decide(workspace: Workspace) -> list[Result | type[TodoError]]:
            return [step_of(workspace, step) for step in steps]

        def run(storage: Storage) -> Awaitable[Any]:
            selection = Selection.union(step.selection for step in steps)
            new_id = self.new_ids()
            return storage.tasks.edit(self.users[user], selection, decide, now=NOW, new_id=new_id, quota=quota)

        edited: Any = self.both(run)
        self.state(user)
        return multiple(*(result for result in edited.result if type(result) is Task))

    def new_ids(self) -> Callable[[], UUID]:
        """Return the same new ids for both."""
        numbers = count(self.edits << 32)
        return lambda: UUID(int=next(numbers))

    def state(self, user: int) -> None:
        """Compare everything that can be read of the user."""
        user_id, views = self.users[user], DueViews.at(NOW, "Pacific/Kiritimati")
        self.both(lambda storage: storage.tasks.changes(user_id, SyncPoint(), 1000))
        self.both(lambda storage: storage.tasks.trash(user_id, 1000))
        self.both(lambda storage: storage.lists.lists(user_id))
        self.both(lambda storage: storage.lists.trashed_lists(user_id, 1000))
        self.both(lambda storage: storage.accounts.export(user_id, 1000))
        self.both(lambda storage: storage.accounts.export_lists(user_id, 1000))
        self.both(lambda storage: storage.accounts.counts(user_id, views))
        self.both(lambda storage: storage.accounts.tags(user_id))
        self.both(lambda storage: storage.accounts.account(user_id, NOW))

    @rule(version=versions, user=few_users, limit=st.integers(1, 4))
    def changes(self, version: Task, user: int, limit: int) -> None:
        point = SyncPoint(version.revision, version.id, version.revision)
        self.both(lambda storage: storage.tasks.changes(self.users[user], point, limit))

    @rule(version=versions, user=few_users)
    def get(self, version: Task, user: int) -> None:
        self.both(lambda storage: storage.tasks.get(self.users[user], version.id))

    @rule(version=consumes(versions), anyhow=st.booleans(), user=few_users)
    def remove(self, version: Task, user: int, *, anyhow: bool) -> None:
        revision = None if anyhow else version.revision
        self.both(lambda storage: storage.tasks.remove(self.users[user], version.id, revision, now=NOW))

    @rule(target=versions, task_id=task_ids, user=few_users, quota=quotas)
    def restore(self, task_id: UUID, user: int, quota: int | None) -> Any:
        restored = self.both(lambda storage: storage.tasks.restore(self.users[user], task_id, quota))
        return restored if isinstance(restored, Task) else multiple()

    @rule(target=positions, user=few_users, query=queries, known=st.lists(st.integers(0, 10), max_size=2))
    def page(self, user: int, query: TaskQuery, known: list[int]) -> Any:
        return self.turned(user, query, known)

    @rule(target=positions, position=positions, known=st.lists(st.integers(0, 10), max_size=1))
    def next_page(self, position: tuple[int, TaskQuery, Position], known: list[int]) -> Any:
        user, query, after = position
        return self.turned(user, replace(query, after=after), known)

    def turned(self, user: int, query: TaskQuery, known: list[int]) -> Any:
        page = self.both(lambda storage: storage.tasks.page(self.users[user], query, known))
        assert isinstance(page, TaskPage)
        return multiple() if page.next is None else (user, query, page.next)


def step_of(workspace: Workspace, step: Operation) -> Result | type[TodoError]:
    try:
        return step.apply(workspace)
    except TodoError as error:
        return type(error)


def test_both_adapters_behave_the_same(database_url: str) -> None:
    with closing(asyncio.new_event_loop()) as loop:
        engine = create_engine(DatabaseConfig(url=database_url, pool_size=1))
        try:
            run_state_machine_as_test(
                lambda: Comparison(loop.run_until_complete, in_postgres(engine)),  # type: ignore[arg-type] # any factory
                settings=settings(max_examples=40, stateful_step_count=30, deadline=None),
            )
        finally:
            loop.run_until_complete(engine.dispose())
