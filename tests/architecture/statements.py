"""All statements of the database adapter, and the users that each of them names."""

import importlib
import pkgutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import fields
from itertools import chain, product
from typing import Any, NamedTuple

import sqlalchemy as sa
import sqlglot
from sqlglot import exp

from todo_api.adapters import sqlalchemy as adapter
from todo_api.adapters.sqlalchemy import pages
from todo_api.adapters.sqlalchemy.distribution import DISTRIBUTION_COLUMNS
from todo_api.adapters.sqlalchemy.execution import Statement
from todo_api.adapters.sqlalchemy.filters import CONDITIONS
from todo_api.adapters.sqlalchemy.hot_path import CompiledStatement
from todo_api.adapters.sqlalchemy.purges import Purge
from todo_api.domain.listing import Order, Sort, Status

# The functions that build statements when they are called, and arguments for each.
BUILDERS: Mapping[Callable[..., Any], Iterable[Mapping[str, Any]]] = {
    pages.page: [
        {"sort": sort, "order": order, "status": status, "filters": filters, "resumed": resumed}
        for sort, order, status, filters, resumed in product(
            Sort, Order, Status, [frozenset[str](), frozenset(CONDITIONS) - {"nothing"}], [False, True]
        )
    ],
    pages.trash: [{"resumed": False}, {"resumed": True}],
}


class Reference(NamedTuple):
    """A reference to a distributed table, and the parameter that its user is equal to, such as `$1`."""

    table: str
    user: str | None


def modules() -> Iterator[Any]:
    """Yield the modules of the adapter."""
    for info in pkgutil.iter_modules(adapter.__path__, f"{adapter.__name__}."):
        yield importlib.import_module(info.name)


def statements() -> Iterator[tuple[str, Statement]]:
    """Yield the statements that modules keep, alone or in a collection, as `module.NAME`, and those of BUILDERS."""
    for module in modules():
        for name, value in vars(module).items():
            for part, statement in _parts(value):
                if isinstance(statement, sa.Select | sa.UpdateBase):
                    yield f"{_short(module.__name__)}.{name}{part}", statement
    for build, calls in BUILDERS.items():
        for values in calls:
            yield f"{_short(build.__module__)}.{build.__name__}", build(**values)


def references(sql: str) -> Iterator[Reference]:
    """Yield the references of a statement: those in FROM and the targets of INSERT, UPDATE and DELETE, at any depth.

    Only an equality in the same SELECT, UPDATE or DELETE counts: Citus does not look for others.
    """
    for part in sqlglot.parse_one(sql, read="postgres").walk():
        if isinstance(part, exp.Insert):
            yield from _inserted(part)
        elif isinstance(part, exp.Select | exp.Update | exp.Delete):
            users = dict(_equalities(part))
            for table in _tables(part):
                if table.name in DISTRIBUTION_COLUMNS:
                    column = f"{table.alias_or_name}.{DISTRIBUTION_COLUMNS[table.name]}"
                    yield Reference(table.name, users.get(column))


def _parts(value: object) -> Iterator[tuple[str, object]]:
    """Yield the value, or what it is made of, with the way there."""
    if isinstance(value, tuple | dict):
        items = value.values() if isinstance(value, dict) else value
        yield from chain.from_iterable(_parts(item) for item in items)
    elif isinstance(value, Purge):
        yield from ((f".{field.name}", getattr(value, field.name)) for field in fields(value))
    else:
        yield "", value


def text(statement: Statement) -> str:
    """Return the statement as it is sent to the database."""
    return CompiledStatement(statement).sql


def _short(module: str) -> str:
    return module.rpartition(".")[2]


def _tables(part: exp.Expr) -> Iterator[exp.Table]:
    """Yield what the part itself reads or writes, and not its subqueries."""
    sources = [part.this, part.args.get("from_"), *part.args.get("joins", ())]
    for source in sources:
        item = source.this if isinstance(source, exp.From | exp.Join) else source
        if isinstance(item, exp.Table) and isinstance(item.this, exp.Identifier):
            yield item
            yield from (join.this for join in item.args.get("joins") or () if isinstance(join.this, exp.Table))


def _equalities(part: exp.Expr) -> Iterator[tuple[str, str]]:
    """Yield the columns that must be equal to a parameter, and the parameter."""
    joins = (join for join in part.find_all(exp.Join) if join.parent_select is part)
    conditions = [part.args.get("where"), *(join.args.get("on") for join in joins)]
    for each in chain.from_iterable(map(_conjuncts, filter(None, conditions))):
        if isinstance(each, exp.EQ) and isinstance(each.left, exp.Column) and (user := _parameter(each.right)):
            yield each.left.sql(), user


def _conjuncts(condition: exp.Expr) -> Iterator[exp.Expr]:
    if isinstance(condition, exp.Where | exp.Paren):
        yield from _conjuncts(condition.this)
    elif isinstance(condition, exp.And):
        yield from _conjuncts(condition.left)
        yield from _conjuncts(condition.right)
    else:
        yield condition


def _inserted(insert: exp.Insert) -> Iterator[Reference]:
    table, columns = insert.this.this.name, [column.name for column in insert.this.expressions]
    if table in DISTRIBUTION_COLUMNS:
        rows = insert.expression
        values = rows.expressions[0].expressions if isinstance(rows, exp.Values) else rows.selects
        user = values[columns.index(DISTRIBUTION_COLUMNS[table])].unalias()
        yield Reference(table, dict(_equalities(rows)).get(user.sql()) or _parameter(user))


def _parameter(value: exp.Expr) -> str | None:
    value = value.unalias()
    while isinstance(value, exp.Cast | exp.Collate | exp.Paren):
        value = value.this
    return value.sql(dialect="postgres") if isinstance(value, exp.Parameter) else None
