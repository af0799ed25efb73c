"""The next revision of a user: the same expression in every statement that writes tasks."""

import sqlalchemy as sa

# In microseconds since 1970. It has one value in a statement: the time at which the statement was received.
CLOCK = sa.literal_column("(extract(epoch FROM statement_timestamp()) * 1000000)::bigint", sa.BigInteger)
ONE = sa.literal_column("1", sa.BigInteger)  # in the text: a constant needs no parameter


def next_revision(last: sa.ColumnElement[int]) -> sa.ColumnElement[int]:
    """Return the revision after `last`, as the domain's `next_revision` does. The user's row must be locked."""
    return sa.func.greatest(last + ONE, CLOCK, type_=sa.BigInteger)
