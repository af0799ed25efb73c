"""An id that is not a UUID gets the response of an id that never was."""

import re

from fastapi import FastAPI
from fastapi.routing import APIRoute
from httpx2 import AsyncClient

_ID = re.compile("{(task|list)_id}")


async def test_every_address_with_an_id_answers_other_words(app: FastAPI, client: AsyncClient) -> None:
    calls = [
        (method, route.path_format, found[1])
        for route in app.routes
        if isinstance(route, APIRoute) and (found := _ID.search(route.path_format))
        for method in route.methods or ()
    ]
    assert len(calls) > 10
    for method, path, kind in calls:
        response = await client.request(method, _ID.sub("no-uuid", path))
        problem = response.json()
        assert response.headers.get("Content-Type") == "application/problem+json", (method, path)
        if method == "PUT":  # the caller may want to create it
            assert (response.status_code, problem["errors"][0]["field"]) == (400, f"{kind}_id")
        else:
            assert (response.status_code, problem["code"]) == (404, f"{kind}-not-found"), (
                f"add {method} {path} to `unknown_ids`, in the module of the endpoint"
            )
