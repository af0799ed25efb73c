"""Fuzzed headers: never a 5xx, and never a response header that uvicorn would not send."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.fuzz.calls import JSON, Caller
from tests.fuzz.strategies import fuzzed, mutated

# What httptools lets through.
raw = st.binary(max_size=300).map(lambda value: value.translate(None, b"\r\n\0").strip())
# A good value of each, to be damaged.
HEADERS = {
    "Idempotency-Key": b"7e4b5a2c-1d3f-4a5b-8c6d-9e0f1a2b3c4d",
    "If-Match": b'"1", W/"2" , *',
    "If-None-Match": b'W/"123456789012345678", "x"',
    "Last-Event-ID": b"Jx3vKQ5mJ1Y0Mg",
    "X-Request-ID": b"a-1:2/3+4=5@6",
    "X-Forwarded-For": b"203.0.113.7:1234, [2001:db8::1]:80, unknown",
    "X-Forwarded-Proto": b"https, http",
    "X-Forwarded-Host": b"api.example.com:8443",
    "X-Forwarded-Prefix": b"/apps, /todo-1.0/",
    "Host": b"[::1]:8000",
    "Authorization": b"Bearer eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ4In0.AAAA",
    "Content-Type": b"application/json; charset=utf-8",
    "Content-Encoding": b"identity",
    "Content-Length": b"15",
    "Origin": b"http://localhost:3000",
    "Access-Control-Request-Method": b"PATCH",
    "Access-Control-Request-Headers": b"authorization, if-match",
    "Accept": b"application/json;q=0.9, */*",
}
BASE = r"(https?://[A-Za-z0-9_.:\[\]-]+)?(/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)*"
LINK = re.compile(rf'<{BASE}/api/tasks\?[A-Za-z0-9_=&-]+>; rel="next"')
LOCATION = re.compile(rf"{BASE}/api/tasks/[0-9a-f-]{{36}}")
METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD"]
PATHS = [
    "/api/tasks",
    "/api/tasks?limit=1",
    "{task}",
    "{task}/complete",
    "/api/tasks/changes",
    "/api/tasks/events",
    "/api/tasks/batch",
]


@st.composite
def headers(draw: st.DrawFn) -> list[tuple[bytes, bytes]]:
    names = draw(st.lists(st.sampled_from([*HEADERS]), min_size=1, max_size=4))
    return [
        (name.encode(), draw(st.just(HEADERS[name]) | mutated(HEADERS[name]).filter(_may_be_sent) | raw))
        for name in names
    ]


def _may_be_sent(value: bytes) -> bool:
    return not any(byte in value for byte in b"\r\n\0")


@pytest.mark.parametrize("path", PATHS)
@given(given=headers(), method=st.sampled_from(METHODS))
@fuzzed
async def test_fuzzed_headers(caller: Caller, path: str, given: list[tuple[bytes, bytes]], method: str) -> None:
    rest = {} if method in {"GET", "HEAD", "OPTIONS"} else {"content": b'{"title": "x"}'}
    own = [(name.encode(), value.encode()) for name, value in JSON.items()] if rest else []
    response = await caller.send(method, path.format(task=caller.path), headers=[*own, *given], **rest)
    assert response.headers["x-request-id"].isascii()


@given(data=st.data(), name=st.sampled_from([*HEADERS]))
@fuzzed
async def test_forwarded_hosts_and_prefixes_in_links_and_locations_are_only_addresses(
    caller: Caller, data: st.DataObject, name: str
) -> None:
    for _ in range(2):
        await caller.send("POST", "/api/tasks", json={"title": "x"})
    value = data.draw(raw | mutated(HEADERS[name]).filter(_may_be_sent))
    if name in {"Authorization", "If-None-Match"}:
        return
    response = await caller.send("GET", "/api/tasks?limit=1", headers=[(name.encode(), value)])
    if response.is_success:
        [link] = response.headers.get_list("link")
        assert LINK.fullmatch(link)
    response = await caller.send("POST", "/api/tasks", json={"title": "x"}, headers=[(name.encode(), value)])
    if response.is_success:
        assert LOCATION.fullmatch(response.headers["location"])
