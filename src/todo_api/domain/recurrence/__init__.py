"""Recurrence: a rule in a subset of RFC 5545, and where a task stands in its series.

`rule` reads rules, `pattern` finds their days, and `series` puts both together with kinds of due dates and time zones.
"""

from todo_api.domain.recurrence.series import CountedFrom, Occurrence, Recurrence

__all__ = ["CountedFrom", "Occurrence", "Recurrence"]
