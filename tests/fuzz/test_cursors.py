"""Fuzzed cursors and sync tokens: refused unless they were issued to this user for this purpose, never a 5xx."""

from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import msgspec
import pytest
from httpx2 import Response
from hypothesis import given
from hypothesis import strategies as st
from tests.fuzz.calls import Caller
from tests.fuzz.strategies import any_text, fuzzed, mutated, numbers

from todo_api.adapters.http.sealed import seal
from todo_api.domain.listing import Sort


@dataclass(frozen=True)
class Place:
    """A parameter for sealed text: its name, the error code, and the purpose of the seal."""

    path: str
    parameter: str
    code: str
    purpose: str

    async def ask(self, caller: Caller, text: str) -> Response:
        if self.parameter == "Last-Event-ID":
            return await caller.send("GET", self.path, headers={self.parameter: text.encode()})
        return await caller.send("GET", self.path, params={self.parameter: text})

    async def given(self, caller: Caller) -> str:
        """Return a text that the service issued to the caller."""
        if self.purpose == "sync":
            return str((await caller.send("GET", "/api/tasks/changes")).json()["next"])
        for _ in range(2):
            task = (await caller.send("POST", "/api/tasks", json={"title": "x"})).json()
            if self.purpose == "trash":
                await caller.send("DELETE", f"/api/tasks/{task['id']}")
        response = await caller.send("GET", self.path, params={"limit": "1"})
        return str(response.links["next"]["url"]).rpartition("cursor=")[2]


PLACES = [
    Place("/api/tasks", "cursor", "invalid-cursor", "list"),
    Place("/api/tasks/trash", "cursor", "invalid-cursor", "trash"),
    Place("/api/tasks/changes", "since", "invalid-sync-token", "sync"),
    Place("/api/tasks/events", "since", "invalid-sync-token", "sync"),
    Place("/api/tasks/events", "Last-Event-ID", "invalid-sync-token", "sync"),
]
everywhere = pytest.mark.parametrize("place", PLACES, ids=lambda place: f"{place.path}-{place.parameter}")
encodable = st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1)


def refuses(response: Response, place: Place) -> bool:
    return response.status_code == 400 and response.json()["code"] == place.code


@everywhere
@given(text=encodable | st.text("AQgw-_=.", min_size=1))
@fuzzed
async def test_no_text_is_a_cursor_by_chance(caller: Caller, place: Place, text: str) -> None:
    assert refuses(await place.ask(caller, text), place)


@everywhere
@given(data=st.data())
@fuzzed
async def test_no_damaged_cursor_is_accepted(caller: Caller, place: Place, data: st.DataObject) -> None:
    good = await place.given(caller)
    assert (await place.ask(caller, good)).is_success
    damaged = data.draw(mutated(good.encode())).decode("latin-1")
    if damaged.isprintable() and damaged:
        assert refuses(await place.ask(caller, damaged), place)


@everywhere
@pytest.mark.parametrize("origin", PLACES[:3], ids=lambda place: place.purpose)
async def test_cursors_of_other_users_and_purposes_are_refused(
    caller: Caller, stranger: Caller, place: Place, origin: Place
) -> None:
    assert refuses(await place.ask(caller, await origin.given(stranger)), place)
    own = await place.ask(caller, await origin.given(caller))
    assert own.is_success if origin.purpose == place.purpose else refuses(own, place)


dates = st.datetimes(timezones=st.none() | st.timezones()).map(lambda when: when.isoformat())
revisions = st.integers(0, 10**19).map(str)


def _content(*parts: Any) -> bytes:
    """Contents that are almost those of a cursor."""
    try:
        return msgspec.json.encode(parts)
    except (UnicodeEncodeError, OverflowError):
        return b'["all","title","asc",5,"\\ud800",1' + b"0" * 400 + b"]"


FILTERS = ["list", "tag", "priority", "due", "due_from", "due_before", "time_zone", "q"]
contents = {
    "list": st.builds(
        _content,
        st.sampled_from(["all", "pending", "completed"]) | any_text,
        st.sampled_from(list(Sort)) | any_text,
        st.sampled_from(["asc", "desc"]) | any_text,
        st.integers(1, 1000) | numbers,
        dates | any_text | numbers,
        st.uuids() | any_text,
        st.just({}) | st.dictionaries(st.sampled_from(FILTERS) | any_text, any_text | st.lists(any_text) | dates),
    ),
    "trash": st.builds(_content, st.integers(1, 1000) | numbers, dates | any_text | numbers, st.uuids() | any_text),
    "sync": st.one_of(
        revisions.map(str.encode),
        st.builds(lambda *parts: f"{parts[0]}.{parts[1].hex}.{parts[2]}".encode(), revisions, st.uuids(), revisions),
    ),
}


@everywhere
@given(data=st.data())
@fuzzed
async def test_a_forged_cursor_only_refers_to_the_users_own_tasks(
    caller: Caller, stranger: Caller, place: Place, data: st.DataObject
) -> None:
    content = data.draw(contents[place.purpose] | st.binary(max_size=60))
    forged = seal(caller.user_id, place.purpose, content)
    response = await place.ask(caller, forged)
    assert response.is_success or refuses(response, place) or response.json()["code"] == "sync-token-expired"
    assert stranger.user_id not in response.text
    assert refuses(await place.ask(stranger, forged), place)


async def test_a_cursor_of_an_unknown_user_is_refused(caller: Caller) -> None:
    forged = seal(str(uuid4()), "list", b"[]")
    assert refuses(await PLACES[0].ask(caller, forged), PLACES[0])
