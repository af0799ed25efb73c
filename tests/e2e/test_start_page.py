"""The page at `/` as `dev` serves it."""

import re

import httpx2
from tests.e2e.programs import Start

HTML = {"Accept": "text/html"}


def test_the_token_on_the_page_of_dev_is_accepted(start: Start) -> None:
    running = start("dev")
    page = httpx2.get(f"{running.url}/", headers=HTML)
    (token,) = re.findall(r'<input id="token" value="([\w.-]+)"', page.text)
    headers = {"Authorization": f"Bearer {token}"}
    assert httpx2.get(f"{running.url}/api/me", headers=headers).json()["user_id"] == "dev-user"
    assert httpx2.get(f"{running.url}/").json()["links"]["tasks"] == f"{running.url}/api/tasks"
