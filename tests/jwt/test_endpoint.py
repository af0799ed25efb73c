"""Fetching keys from a real server, and from servers that misbehave."""

import asyncio
import gzip
import json
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

import pytest
from tests.jwt.signing import NOW, ORIGIN, SECRET, Clock, Signer, sign

from todo_api.adapters.jwt import JwtConfig, JwtTokenVerifier
from todo_api.adapters.jwt.endpoint import MAX_BYTES, JwksEndpoint, KeySetUnavailableError
from todo_api.application.access import InvalidTokenError, VerifierUnavailableError

SIGNERS = [Signer(name, name) for name in ("EdDSA", "ES256", "ES512", "RS256", "PS256")]
KEY_SET = json.dumps({"keys": [signer.jwk() for signer in SIGNERS]}).encode()

Respond = Callable[[asyncio.StreamWriter], Awaitable[None]]


def http(body: bytes, status: str = "200 OK", headers: str = "") -> bytes:
    head = f"HTTP/1.1 {status}\r\ncontent-length: {len(body)}\r\nconnection: close\r\n{headers}\r\n"
    return head.encode() + body


@asynccontextmanager
async def server(response: Respond | bytes, seen: list[str] | None = None) -> AsyncIterator[str]:
    """Serve a response on a port of this machine; the requests' heads go to `seen`."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            head = await reader.readuntil(b"\r\n\r\n")
            if seen is not None:
                seen.append(head.decode().lower())
            if isinstance(response, bytes):
                writer.write(response)
            else:
                await response(writer)
            await writer.drain()
        writer.close()

    listening = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
    finally:
        listening.close()


@asynccontextmanager
async def verifier_for(url: str) -> AsyncIterator[JwtTokenVerifier]:
    config = JwtConfig(jwks_url=url, issuers=frozenset({ORIGIN}), audiences=frozenset({ORIGIN}))
    verifier = JwtTokenVerifier(config, now=Clock())
    try:
        yield verifier
    finally:
        await verifier.aclose()


async def fetch(url: str, seconds: float = 3.0) -> int:
    endpoint = JwksEndpoint(url, timeout=seconds)
    try:
        return len(await endpoint.fetch())
    finally:
        await endpoint.aclose()


async def test_tokens_of_every_algorithm_are_verified_with_keys_from_a_server() -> None:
    seen: list[str] = []
    async with server(http(KEY_SET), seen) as url, verifier_for(f"{url}/api/auth/jwks") as verifier:
        for signer in SIGNERS:
            assert (await verifier.verify(signer.token())).user_id == "user-1"
    assert len(seen) == 1
    assert seen[0].startswith("get /api/auth/jwks http/1.1\r\n")
    assert "accept-encoding: identity\r\n" in seen[0]


async def test_the_proxy_of_the_environment_is_not_used_for_this_machine(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    async with server(http(KEY_SET)) as url:
        assert await fetch(url) == len(SIGNERS)
        assert await fetch(url.replace("127.0.0.1", "localhost")) == len(SIGNERS)


@pytest.mark.parametrize(
    "response",
    [
        http(b"<!doctype html><h1>Hello</h1>"),
        http(b""),
        http(b"{}"),
        http(b"[" * 100_000),
        http(b"\xff\xfe"),
        http(KEY_SET, "500 Internal Server Error"),
        http(KEY_SET, "404 Not Found"),
        http(KEY_SET, "201 Created"),
        http(b"", "204 No Content"),
        http(gzip.compress(KEY_SET), headers="content-encoding: gzip\r\n"),
        http(KEY_SET)[:-10],
        b"",
        b"SSH-2.0-OpenSSH_9.9\r\n",
    ],
)
async def test_other_responses_are_failures(response: bytes) -> None:
    async with server(response) as url:
        with pytest.raises(KeySetUnavailableError):
            await fetch(url)


async def test_a_redirect_is_not_followed() -> None:
    seen: list[str] = []
    async with server(http(KEY_SET), seen) as elsewhere:
        for status in ("301 Moved", "302 Found", "307 Temporary Redirect", "308 Permanent Redirect"):
            async with server(http(b"", status, f"location: {elsewhere}/\r\n")) as url:
                with pytest.raises(KeySetUnavailableError, match=status[:3]):
                    await fetch(url)
    assert seen == []


async def test_a_huge_response_is_refused() -> None:
    sent = 0

    async def flood(writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n")
        while sent < 200 * MAX_BYTES:
            writer.write(b" " * 65536)
            sent += 65536
            await writer.drain()

    async with server(flood) as url:
        with pytest.raises(KeySetUnavailableError, match="larger"):
            await fetch(url)
    assert sent < 200 * MAX_BYTES
    async with server(http(KEY_SET.ljust(MAX_BYTES))) as url:
        assert await fetch(url) == len(SIGNERS)


async def test_a_slow_response_times_out() -> None:
    async def drip(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n")
        while not writer.is_closing():
            writer.write(b" ")
            await writer.drain()
            await asyncio.sleep(0.02)

    async with server(drip) as url:
        began = time.monotonic()
        with pytest.raises(KeySetUnavailableError, match=r"within 0\.2 seconds"):
            await fetch(url, seconds=0.2)
        assert time.monotonic() - began < 1


async def test_a_missing_response_times_out() -> None:
    async def wait(_: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.4)

    async with server(wait) as url:
        with pytest.raises(KeySetUnavailableError, match="within"):
            await fetch(url, seconds=0.1)


async def test_the_service_starts_without_keys() -> None:
    async with server(b"") as url:
        pass  # the port is free again, and nothing listens
    async with verifier_for(url) as verifier:
        with pytest.raises(VerifierUnavailableError):
            await verifier.verify(SIGNERS[0].token())


@pytest.mark.parametrize("url", ["http://name.invalid/jwks", "http://127.0.0.1:1/jwks", "https://127.0.0.1:1/jwks"])
async def test_an_unreachable_url_is_a_failure(url: str) -> None:
    with pytest.raises(KeySetUnavailableError):
        await fetch(url)


async def test_no_token_secret_or_address_is_logged_or_quoted(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "todo_api")
    config = JwtConfig(secret=SECRET, jwks_url="http://someone:password@127.0.0.1:1/jwks")
    verifier = JwtTokenVerifier(config, now=Clock(NOW))
    quoted = []
    for token in (SIGNERS[0].token(), sign("HS256", SECRET.encode() + b"x", {"sub": "private-1", "exp": NOW + 9})):
        with pytest.raises((VerifierUnavailableError, InvalidTokenError)) as caught:
            await verifier.verify(token)
        quoted.append(str(caught.value))
    await verifier.aclose()
    assert caplog.records
    for word in ("password", SECRET, "eyJ", "private-1", "127.0.0.1"):
        assert word not in caplog.text + "".join(quoted)
