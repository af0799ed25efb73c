"""A type of column for JSON that the mapping writes as text, and reads as SQLAlchemy makes its connections decode it.

SQLAlchemy's JSONB would convert values on one path only: the hot path
(docs/decisions/hot-path.md) bypasses its types, but uses its connections.
"""

from typing import Any

from sqlalchemy.types import UserDefinedType


class JsonText(UserDefinedType[str]):
    """`jsonb`, written as text."""

    cache_ok = True
    render_bind_cast = True

    def get_col_spec(self, **_: Any) -> str:
        return "JSONB"
