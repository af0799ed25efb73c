"""Malformed imports."""

import json

import pytest
from httpx2 import AsyncClient
from tests.http.imports import JSON, MALFORMED, a_task, document, result, titles, whole


@pytest.mark.parametrize("name", MALFORMED)
async def test_malformed_json_is_reported_after_valid_tasks(client: AsyncClient, name: str) -> None:
    content, imported = MALFORMED[name]
    response = await client.post("/api/me/import", content=content, headers=JSON)
    assert (response.status_code, response.json()["code"]) == (400, "malformed-json"), response.json()
    assert (response.json()["imported"], len(await titles(client))) == (imported, imported)


@pytest.mark.parametrize("revision", ["1" * 5000, "-1e999", "1." + "0" * 5000])
async def test_ignored_numbers_are_harmless(client: AsyncClient, revision: str) -> None:
    content = whole(a_task(1, revision=0)).replace(b'"revision": 0', f'"revision": {revision}'.encode())
    response = await client.post("/api/me/import", content=content, headers=JSON)
    assert response.status_code in {200, 400}
    assert (await client.get("/health")).status_code == 200


@pytest.mark.parametrize("nested", [b"[" * 100_000, b'{"a":' * 100_000])
async def test_deep_nesting_is_harmless(client: AsyncClient, nested: bytes) -> None:
    for content in (nested, b'{"format": ' + nested, whole(a_task(1))[:-2] + b"," + nested, whole()[:-2] + nested):
        response = await client.post("/api/me/import", content=content, headers=JSON)
        assert response.status_code == 400


async def test_white_space_does_not_matter(client: AsyncClient) -> None:
    content = json.dumps(document(a_task(1), a_task(2), exported_at=None, user_id="x"), indent=8)
    content = f"\r\n\t {content} \n".replace("}", f"}}{' ' * 2_000_000}", 1)
    response = await client.post("/api/me/import", content=content, headers=JSON)
    assert response.json() == result(2, 0)
