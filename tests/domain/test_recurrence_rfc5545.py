"""The examples of RFC 5545, section 3.8.5.3, that are in the subset: at 9:00 in New York, as the RFC has them."""

from datetime import UTC, datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from todo_api.domain.due_date import DueDate
from todo_api.domain.recurrence import Occurrence, Recurrence

NEW_YORK = ZoneInfo("America/New_York")
MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]


def dates(text: str) -> list[datetime]:
    """Return the instants of `1997 Sep 2,3 Oct 1`: a year holds until the next one, and so does a month."""
    year = month = 0
    found = []
    for word in text.split():
        if word in MONTHS:
            month = MONTHS.index(word) + 1
        elif len(word) == 4 and word.isdigit():
            year = int(word)
        else:
            found += [datetime(year, month, int(day), 9, tzinfo=NEW_YORK).astimezone(UTC) for day in word.split(",")]
    return found


# The rule and its dates; if they go on, "..." is after them.
EXAMPLES = [
    ("FREQ=DAILY;COUNT=10", "1997 Sep 2,3,4,5,6,7,8,9,10,11"),
    ("FREQ=DAILY;UNTIL=19971224T000000Z", "1997 Dec 20,21,22,23"),  # the RFC's begins on 2 September
    ("FREQ=DAILY;INTERVAL=2", "1997 Sep 2,4,6,8,10,12,14,16,18,20,22,24,26,28,30 Oct 2,4,6 ..."),
    ("FREQ=DAILY;INTERVAL=10;COUNT=5", "1997 Sep 2,12,22 Oct 2,12"),
    (
        "FREQ=YEARLY;UNTIL=20000131T140000Z;BYMONTH=1;BYDAY=SU,MO,TU,WE,TH,FR,SA",
        " ".join(f"{year} Jan {','.join(map(str, range(1, 32)))}" for year in (1998, 1999, 2000)),
    ),
    (
        "FREQ=DAILY;UNTIL=20000131T140000Z;BYMONTH=1",
        " ".join(f"{year} Jan {','.join(map(str, range(1, 32)))}" for year in (1998, 1999, 2000)),
    ),
    ("FREQ=WEEKLY;COUNT=10", "1997 Sep 2,9,16,23,30 Oct 7,14,21,28 Nov 4"),
    (
        "FREQ=WEEKLY;UNTIL=19971224T000000Z",
        "1997 Sep 2,9,16,23,30 Oct 7,14,21,28 Nov 4,11,18,25 Dec 2,9,16,23",
    ),
    (
        "FREQ=WEEKLY;INTERVAL=2;WKST=SU",
        "1997 Sep 2,16,30 Oct 14,28 Nov 11,25 Dec 9,23 1998 Jan 6,20 Feb 3,17 ...",
    ),
    ("FREQ=WEEKLY;UNTIL=19971007T000000Z;WKST=SU;BYDAY=TU,TH", "1997 Sep 2,4,9,11,16,18,23,25,30 Oct 2"),
    ("FREQ=WEEKLY;COUNT=10;WKST=SU;BYDAY=TU,TH", "1997 Sep 2,4,9,11,16,18,23,25,30 Oct 2"),
    (
        "FREQ=WEEKLY;INTERVAL=2;UNTIL=19971224T000000Z;WKST=SU;BYDAY=MO,WE,FR",
        "1997 Sep 1,3,5,15,17,19,29 Oct 1,3,13,15,17,27,29,31 Nov 10,12,14,24,26,28 Dec 8,10,12,22",
    ),
    ("FREQ=WEEKLY;INTERVAL=2;COUNT=8;WKST=SU;BYDAY=TU,TH", "1997 Sep 2,4,16,18,30 Oct 2,14,16"),
    ("FREQ=MONTHLY;COUNT=10;BYDAY=1FR", "1997 Sep 5 Oct 3 Nov 7 Dec 5 1998 Jan 2 Feb 6 Mar 6 Apr 3 May 1 Jun 5"),
    ("FREQ=MONTHLY;UNTIL=19971224T000000Z;BYDAY=1FR", "1997 Sep 5 Oct 3 Nov 7 Dec 5"),
    (
        "FREQ=MONTHLY;INTERVAL=2;COUNT=10;BYDAY=1SU,-1SU",
        "1997 Sep 7,28 Nov 2,30 1998 Jan 4,25 Mar 1,29 May 3,31",
    ),
    ("FREQ=MONTHLY;COUNT=6;BYDAY=-2MO", "1997 Sep 22 Oct 20 Nov 17 Dec 22 1998 Jan 19 Feb 16"),
    ("FREQ=MONTHLY;BYMONTHDAY=-3", "1997 Sep 28 Oct 29 Nov 28 Dec 29 1998 Jan 29 Feb 26 ..."),
    ("FREQ=MONTHLY;COUNT=10;BYMONTHDAY=2,15", "1997 Sep 2,15 Oct 2,15 Nov 2,15 Dec 2,15 1998 Jan 2,15"),
    ("FREQ=MONTHLY;COUNT=10;BYMONTHDAY=1,-1", "1997 Sep 30 Oct 1,31 Nov 1,30 Dec 1,31 1998 Jan 1,31 Feb 1"),
    (
        "FREQ=MONTHLY;INTERVAL=18;COUNT=10;BYMONTHDAY=10,11,12,13,14,15",
        "1997 Sep 10,11,12,13,14,15 1999 Mar 10,11,12,13",
    ),
    (
        "FREQ=MONTHLY;INTERVAL=2;BYDAY=TU",
        "1997 Sep 2,9,16,23,30 Nov 4,11,18,25 1998 Jan 6,13,20,27 Mar 3,10,17,24,31 ...",
    ),
    (
        "FREQ=YEARLY;COUNT=10;BYMONTH=6,7",
        "1997 Jun 10 Jul 10 1998 Jun 10 Jul 10 1999 Jun 10 Jul 10 2000 Jun 10 Jul 10 2001 Jun 10 Jul 10",
    ),
    (
        "FREQ=YEARLY;INTERVAL=2;COUNT=10;BYMONTH=1,2,3",
        "1997 Mar 10 1999 Jan 10 Feb 10 Mar 10 2001 Jan 10 Feb 10 Mar 10 2003 Jan 10 Feb 10 Mar 10",
    ),
    ("FREQ=YEARLY;BYDAY=20MO", "1997 May 19 1998 May 18 1999 May 17 ..."),
    ("FREQ=YEARLY;BYMONTH=3;BYDAY=TH", "1997 Mar 13,20,27 1998 Mar 5,12,19,26 1999 Mar 4,11,18,25 ..."),
    (
        "FREQ=YEARLY;BYDAY=TH;BYMONTH=6,7,8",
        "1997 Jun 5,12,19,26 Jul 3,10,17,24,31 Aug 7,14,21,28 1998 Jun 4,11,18,25 Jul 2,9,16,23,30 Aug 6,13,20,27 ...",
    ),
    # The start is in no pattern here, and the RFC excludes it with EXDATE; a task begins its series in any case.
    ("FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13", "1997 Sep 2 1998 Feb 13 Mar 13 Nov 13 1999 Aug 13 2000 Oct 13 ..."),
    (
        "FREQ=MONTHLY;BYDAY=SA;BYMONTHDAY=7,8,9,10,11,12,13",
        "1997 Sep 13 Oct 11 Nov 8 Dec 13 1998 Jan 10 Feb 7 Mar 7 Apr 11 May 9 Jun 13 ...",
    ),
    ("FREQ=YEARLY;INTERVAL=4;BYMONTH=11;BYDAY=TU;BYMONTHDAY=2,3,4,5,6,7,8", "1996 Nov 5 2000 Nov 7 2004 Nov 2 ..."),
    ("FREQ=MONTHLY;COUNT=3;BYDAY=TU,WE,TH;BYSETPOS=3", "1997 Sep 4 Oct 7 Nov 6"),
    (
        "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-2",
        "1997 Sep 29 Oct 30 Nov 27 Dec 30 1998 Jan 29 Feb 26 Mar 30 ...",
    ),
    ("FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=MO", "1997 Aug 5,10,19,24"),
    ("FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=SU", "1997 Aug 5,17,19,31"),
    ("FREQ=MONTHLY;BYMONTHDAY=15,30;COUNT=5", "2007 Jan 15,30 Feb 15 Mar 15,30"),
]


@pytest.mark.parametrize(("rule", "text"), EXAMPLES)
def test_each_completion_leads_to_the_next_date_of_the_rfc(rule: str, text: str) -> None:
    expected = dates(text.removesuffix(" ..."))
    recurrence = Recurrence.parse(rule, time_zone="America/New_York")
    occurrence = Occurrence.first(recurrence, expected[0])

    for number, (due, following_due) in enumerate(pairwise(expected), start=2):
        following = occurrence.following(recurrence, due, now=due)
        assert following is not None
        occurrence, next_due = following
        assert (occurrence.sequence, next_due) == (number, following_due)

    if not text.endswith("..."):
        assert occurrence.following(recurrence, expected[-1], now=expected[-1]) is None


@pytest.mark.parametrize(("rule", "text"), EXAMPLES)
def test_the_preview_has_the_dates_of_the_rfc(rule: str, text: str) -> None:
    expected: list[DueDate] = [*dates(text.removesuffix(" ..."))]
    recurrence = Recurrence.parse(rule, time_zone="America/New_York")
    occurrence = Occurrence.first(recurrence, expected[0])

    preview = occurrence.upcoming(recurrence, expected[0], now=dates("1990 Jan 1")[0], count=100)

    assert preview[: len(expected) - 1] == expected[1:]
    assert len(preview) == (100 if text.endswith("...") else len(expected) - 1)
