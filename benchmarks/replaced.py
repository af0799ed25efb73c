"""The stack that this service replaced: a synchronous backend with FastAPI, SQLModel and psycopg2.

It is written as the manuals show: sessions from `yield` dependencies, SQLModel tables that are created at start-up and
default pools. Nothing is tuned or slowed down. `benchmarks` fills its own table with the same tasks.
"""

import os
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Annotated

import jwt
from fastapi import Depends, FastAPI, HTTPException
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from sqlalchemy import DateTime
from sqlmodel import Field, Session, SQLModel, col, create_engine, select

engine = create_engine(os.environ["DATABASE_URL"].replace("postgresql://", "postgresql+psycopg2://"))
bearer = HTTPBearer()
PUBLIC_KEY = os.environ["PUBLIC_KEY"]


def now() -> datetime:
    return datetime.now(UTC)


class Task(SQLModel, table=True):
    __tablename__ = "replaced_tasks"

    id: uuid.UUID = Field(default_factory=uuid.uuid4, primary_key=True)
    user_id: str = Field(index=True)
    title: str
    description: str | None = None
    completed: bool = False
    due_date: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))
    created_at: datetime = Field(default_factory=now, sa_type=DateTime(timezone=True))
    updated_at: datetime = Field(default_factory=now, sa_type=DateTime(timezone=True))


class TaskCreate(SQLModel):
    title: str = Field(min_length=1, max_length=200)
    description: str | None = None
    due_date: datetime | None = None


class TaskUpdate(SQLModel):
    title: str | None = None
    description: str | None = None
    completed: bool | None = None


def session() -> Iterator[Session]:
    with Session(engine) as opened:
        yield opened


def current_user(credentials: Annotated[HTTPAuthorizationCredentials, Depends(bearer)]) -> str:
    try:
        claims = jwt.decode(credentials.credentials, PUBLIC_KEY, algorithms=["EdDSA"], options={"verify_aud": False})
    except jwt.InvalidTokenError as error:
        raise HTTPException(401, "Invalid token") from error
    return str(claims["sub"])


Database = Annotated[Session, Depends(session)]
User = Annotated[str, Depends(current_user)]


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[None]:
    SQLModel.metadata.create_all(engine)
    yield


app = FastAPI(lifespan=lifespan)


def own_task(database: Session, user: str, task_id: uuid.UUID) -> Task:
    task = database.exec(select(Task).where(Task.id == task_id, Task.user_id == user)).first()
    if task is None:
        raise HTTPException(404, "Task not found")
    return task


@app.get("/api/tasks")
def list_tasks(database: Database, user: User, limit: int = 100) -> list[Task]:
    newest_first = select(Task).where(Task.user_id == user).order_by(col(Task.created_at).desc())
    return list(database.exec(newest_first.limit(limit)).all())


@app.post("/api/tasks", status_code=201)
def create_task(values: TaskCreate, database: Database, user: User) -> Task:
    task = Task(user_id=user, **values.model_dump())
    database.add(task)
    database.commit()
    database.refresh(task)
    return task


@app.get("/api/tasks/{task_id}")
def get_task(task_id: uuid.UUID, database: Database, user: User) -> Task:
    return own_task(database, user, task_id)


@app.patch("/api/tasks/{task_id}")
def update_task(task_id: uuid.UUID, values: TaskUpdate, database: Database, user: User) -> Task:
    task = own_task(database, user, task_id)
    for name, value in values.model_dump(exclude_unset=True).items():
        setattr(task, name, value)
    task.updated_at = now()
    database.add(task)
    database.commit()
    database.refresh(task)
    return task
