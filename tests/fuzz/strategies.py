"""Strategies for hostile input: damaged, huge, deep or contradictory bytes, texts and JSON."""

import json
import os
from collections.abc import Callable, Mapping
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

# Few by default, to keep the suite fast; FUZZ_EXAMPLES=5000 runs many more.
fuzzed = settings(
    max_examples=int(os.environ.get("FUZZ_EXAMPLES", "10")),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)

DEEP = 100_000

any_text = st.text(st.characters() | st.sampled_from("\0\ud800\udfff\u2028"))
numbers = st.one_of(
    st.integers(),
    st.integers(-5, 5),
    st.sampled_from([2**31, 2**53 + 1, 2**63 - 1, 2**63, -(2**63) - 1, 10**400, -(10**4000), 1e308]),
    st.floats(),  # with NaN and infinities, which Python writes although JSON has none
)
values = st.recursive(
    st.none() | st.booleans() | numbers | any_text,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(any_text, inner, max_size=4),
    max_leaves=8,
)


# Texts that Python would not write: each is JSON, or almost.
odd_literals = st.sampled_from(
    [
        "1" * 4300,
        "-" + "9" * 5000,
        "1e400",
        "1E-999999999",
        "-0",
        "0x1",
        "01",
        r'"\ud800"',
        r'"\uDC00\uD800"',
        '"\t"',
        "",
    ]
)
literals = values.map(json.dumps) | odd_literals


def _object(members: list[tuple[str, str]]) -> bytes:
    """Return a JSON object with these members in this order, including duplicates."""
    return f"{{{','.join(f'{json.dumps(name)}:{literal}' for name, literal in members)}}}".encode()


def _nested(depth: int, opening: bytes, closing: bytes) -> bytes:
    return opening * depth + closing * depth


deep = st.builds(
    _nested,
    st.sampled_from([10, 199, 200, 201, 1000, DEEP]),
    st.sampled_from([b"[", b'{"a":', b'[{"title":', b'{"operations":[']),
    st.sampled_from([b"", b"]", b"}", b"}]", b"]}"]),
)


@st.composite
def mutated(draw: Callable[[Any], Any], original: bytes) -> bytes:
    """Change, remove or duplicate a few bytes of the original."""
    text = bytearray(original)
    for _ in range(draw(st.integers(1, 4))):
        place = draw(st.integers(0, max(len(text) - 1, 0)))
        end = draw(st.integers(place, min(place + 40, len(text))))
        match draw(st.sampled_from(["flip", "replace", "remove", "double", "cut", "insert"])):
            case "flip" if text:
                text[place] ^= 1 << draw(st.integers(0, 7))
            case "replace" if text:
                text[place] = draw(st.integers(0, 255))
            case "remove":
                del text[place:end]
            case "double":
                text[place:place] = text[place:end]
            case "cut":
                del text[place:]
            case _:
                text[place:place] = draw(st.binary(min_size=1, max_size=8))
    return bytes(text) if text != original else bytes(text) + b"\0"


def objects(document: Mapping[str, Any]) -> st.SearchStrategy[bytes]:
    """Objects like the document, with some members changed, duplicated, added or removed."""
    known = {name: json.dumps(value) for name, value in document.items()}
    member = st.tuples(st.sampled_from([*known]) | any_text, st.sampled_from([*known.values()]) | literals)
    kept = st.lists(st.sampled_from([*known.items()]), unique=True)
    return st.tuples(kept, st.lists(member, max_size=3)).map(lambda parts: _object([*parts[0], *parts[1]]))


def bodies(document: Mapping[str, Any]) -> st.SearchStrategy[bytes]:
    """Bodies for an endpoint that accepts the document."""
    return st.one_of(
        objects(document),
        mutated(json.dumps(document).encode()),
        literals.map(str.encode),
        deep,
        st.binary(max_size=200),
    )
