"""The next revision of a user, and the position at the end: the same expressions in every statement that writes."""

import sqlalchemy as sa

# In microseconds since 1970. It has one value in a statement: the time at which the statement was received.
CLOCK = sa.literal_column("(extract(epoch FROM statement_timestamp()) * 1000000)::bigint", sa.BigInteger)
ONE = sa.literal_column("1", sa.BigInteger)  # in the text: a constant needs no parameter


def next_revision(last: sa.ColumnElement[int], clock: sa.ColumnElement[int] = CLOCK) -> sa.ColumnElement[int]:
    """Return the revision after `last`, as the domain's `next_revision` does. The user's row must be locked.

    An upsert takes the clock from the row to be inserted: Citus permits only immutable functions in DO UPDATE.
    """
    return sa.func.greatest(last + ONE, clock, type_=sa.BigInteger)


def end_position(revision: sa.ColumnElement[int]) -> sa.ColumnElement[str]:
    """Return the position of a task that is added at this revision, as the domain's `position_at` does."""
    digits = sa.func.lpad(sa.func.to_hex(revision), sa.literal_column("13"), sa.literal_column("'0'"))
    return sa.literal_column("'m'", sa.Text).op("||")(digits)
