"""The address that publishes the keys."""

import asyncio
import ipaddress
import json
from http import HTTPStatus
from urllib.parse import urlsplit

import httpx2

from todo_api.adapters.jwt.keys import VerificationKey, read_key_set

PATIENCE = 3.0
LARGEST_KEY_SET = 256 * 1024


class KeySetUnavailableError(Exception):
    """The keys could not be had; the message says why, without the address."""


class JwksEndpoint:
    """Reads a JWK set over HTTP."""

    def __init__(
        self, url: str, transport: httpx2.AsyncBaseTransport | None = None, patience: float = PATIENCE
    ) -> None:
        """Prepare for an address, to wait for so many seconds; `transport` takes the place of the network in tests."""
        self._url = url
        self._patience = patience
        self._client = httpx2.AsyncClient(
            transport=transport,
            timeout=patience,
            # A key set is the root of all trust: it comes from the configured address, or not at all.
            follow_redirects=False,
            # A compressed answer could be a thousand times as large as what is counted below.
            headers={"accept": "application/jwk-set+json, application/json", "accept-encoding": "identity"},
            # Minutes pass between two fetches: a connection that was kept would mostly be a dead one.
            limits=httpx2.Limits(max_keepalive_connections=0),
            # The proxy of the environment is for the internet; it cannot reach this machine's own ports.
            trust_env=not _is_loopback(urlsplit(url).hostname or ""),
        )

    async def fetch(self) -> tuple[VerificationKey, ...]:
        """Return the usable keys.

        Raises:
            KeySetUnavailableError: No JWK set of at most 256 KiB came in time, with status 200 and without a redirect.
        """
        try:
            async with asyncio.timeout(self._patience):  # the client's own timeout starts again with every byte
                return read_key_set(json.loads(await self._read()))
        except TimeoutError as error:
            raise KeySetUnavailableError(f"no answer within {self._patience:g} seconds") from error
        except (httpx2.HTTPError, httpx2.InvalidURL, httpx2.StreamError, OSError) as error:
            raise KeySetUnavailableError(f"no answer: {type(error).__name__}") from error
        except (ValueError, RecursionError) as error:
            raise KeySetUnavailableError("the answer is no JWK set") from error

    async def aclose(self) -> None:
        """Release the connections."""
        await self._client.aclose()

    async def _read(self) -> bytes:
        body = bytearray()
        async with self._client.stream("GET", self._url) as response:
            if response.status_code != HTTPStatus.OK:
                raise KeySetUnavailableError(f"the answer has the status {response.status_code}")
            async for chunk in response.aiter_raw():
                body += chunk
                if len(body) > LARGEST_KEY_SET:
                    raise KeySetUnavailableError(f"the answer is larger than {LARGEST_KEY_SET} bytes")
        return bytes(body)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
