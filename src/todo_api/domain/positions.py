"""Positions in an order by hand: strings that are compared by bytes, made between two neighbours.

The idea is David Greenspan's ("Implementing Fractional Indexing"); the library `fractional-indexing` is not used,
because it needs setuptools at run time and has no types.

A position is a number in base 16: a letter and 13 digits before the point, which is not written, and a fraction without
trailing zeros, which may be empty. So bytes compare as the numbers do, and there is room between any two positions.
What is created or moved to the end stands at "m" and the revision; what is moved to the start counts down from there.
"""

import re

MAX_LENGTH = 64

_DIGITS = 13
_HEAD_LENGTH = 1 + _DIGITS
_FRACTION_LENGTH = MAX_LENGTH - _HEAD_LENGTH
_HEADS_PER_LETTER: int = 16**_DIGITS
# One step of the number before the point, in the unit of the last digit that a position may have.
_ONE: int = 16**_FRACTION_LENGTH

_POSITION = re.compile(rf"[a-z][0-9a-f]{{{_DIGITS}}}(?:[0-9a-f]*[1-9a-f])?")

_INDEX_DIGITS = 5
# Moves to the start leave this distance, so that positions stay short when others are put between them.
_GAP = 256


def is_position(text: str) -> bool:
    """Return whether this is a position that these functions may have made."""
    return len(text) <= MAX_LENGTH and _POSITION.fullmatch(text) is not None


def position_at(revision: int, index: int = 0) -> str:
    """Return the position at the end for what is created or moved there at a revision.

    Several in one edit are told apart by `index`: all are before the positions of later revisions. SQL can compute it:
    `'m' || lpad(to_hex(revision), 13, '0')`, and for an index above 0 `|| lpad(to_hex(index), 5, '0') || '8'`.

    Raises:
        ValueError: The revision is not in 0 to 16^13 - 1, or the index is not in 0 to 16^5 - 1.
    """
    if not (0 <= revision < _HEADS_PER_LETTER and 0 <= index < 16**_INDEX_DIGITS):
        raise ValueError(f"no position for revision {revision}, index {index}")
    suffix = f"{index:0{_INDEX_DIGITS}x}8" if index else ""
    return f"m{revision:0{_DIGITS}x}{suffix}"


def between(low: str | None, high: str | None) -> str | None:
    """Return a short position strictly between two others, about in the middle; None is the start or the end.

    Without `low` it is a step before `high`. Without `high` it is before what later revisions put at the end.

    Returns:
        None, if there is no room: `low` is not below `high`, or the position would be longer than 64 characters.
    """
    positions = spread(1, low, high)
    return None if positions is None else positions[0]


def spread(count: int, low: str | None, high: str | None) -> list[str] | None:
    """Return `count` short positions in increasing order strictly between two others, evenly spread.

    Without `low` or `high` they are where `between` puts them.

    Returns:
        None, if there is no room: `low` is not below `high`, or a position would be longer than 64 characters.
    """
    start, end = _bounds(count, low, high)
    for fraction_length in range(_FRACTION_LENGTH + 1):
        unit = _ONE // 16**fraction_length
        first, last = start // unit + 1, (end - 1) // unit
        room = last - first + 1
        if room >= count:
            return [_position((first + room * (2 * i + 1) // (2 * count)) * unit) for i in range(count)]
    return None


def _bounds(count: int, low: str | None, high: str | None) -> tuple[int, int]:
    if low is None:
        end = _number(high or position_at(0))
        return max(end // _ONE - _GAP * (count + 1), 0) * _ONE, end
    start = _number(low)
    return start, (start // _ONE + 1) * _ONE if high is None else _number(high)


def _number(position: str) -> int:
    head, fraction = position[1:_HEAD_LENGTH], position[_HEAD_LENGTH:]
    digits = int(head + fraction.ljust(_FRACTION_LENGTH, "0"), 16)
    return (ord(position[0]) - ord("a")) * _HEADS_PER_LETTER * _ONE + digits


def _position(number: int) -> str:
    head, fraction = divmod(number, _ONE)
    letter, digits = divmod(head, _HEADS_PER_LETTER)
    return f"{chr(ord('a') + letter)}{digits:0{_DIGITS}x}" + f"{fraction:0{_FRACTION_LENGTH}x}".rstrip("0")
