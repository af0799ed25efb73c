"""The URL that publishes the keys."""

import asyncio
import ipaddress
import json
from http import HTTPStatus
from urllib.parse import urlsplit

import httpx2

from todo_api.adapters.jwt.keys import VerificationKey, read_key_set

TIMEOUT = 3.0  # seconds
MAX_BYTES = 256 * 1024


class KeySetUnavailableError(Exception):
    """The keys could not be fetched; the message says why, without the URL."""


class JwksEndpoint:
    """Fetches a JWK set over HTTP."""

    def __init__(self, url: str, transport: httpx2.AsyncBaseTransport | None = None, timeout: float = TIMEOUT) -> None:
        self._url = url
        self._timeout = timeout
        self._client = httpx2.AsyncClient(
            transport=transport,
            timeout=timeout,
            # Keys decide whom the service trusts, so they must come from the configured URL.
            follow_redirects=False,
            # A compressed response could be a thousand times as large as the bytes that are counted.
            headers={"accept": "application/jwk-set+json, application/json", "accept-encoding": "identity"},
            # Minutes pass between two fetches; the server would close an idle connection in the meantime.
            limits=httpx2.Limits(max_keepalive_connections=0),
            # A proxy cannot reach the ports of this machine.
            trust_env=not _is_loopback(urlsplit(url).hostname or ""),
        )

    async def fetch(self) -> tuple[VerificationKey, ...]:
        """Return the usable keys.

        Raises:
            KeySetUnavailableError: The response is late, has a status other than 200, or is not a JWK set of at most
                256 KiB.
        """
        try:
            async with asyncio.timeout(self._timeout):  # httpx's timeout restarts with every byte
                return read_key_set(json.loads(await self._read()))
        except TimeoutError as error:
            raise KeySetUnavailableError(f"no response within {self._timeout:g} seconds") from error
        except (httpx2.HTTPError, httpx2.InvalidURL, httpx2.StreamError, OSError) as error:
            raise KeySetUnavailableError(f"no response: {type(error).__name__}") from error
        except (ValueError, RecursionError) as error:
            raise KeySetUnavailableError("the response is not a JWK set") from error

    async def aclose(self) -> None:
        await self._client.aclose()

    async def _read(self) -> bytes:
        body = bytearray()
        async with self._client.stream("GET", self._url) as response:
            if response.status_code != HTTPStatus.OK:
                raise KeySetUnavailableError(f"the response has the status {response.status_code}")
            async for chunk in response.aiter_raw():
                body += chunk
                if len(body) > MAX_BYTES:
                    raise KeySetUnavailableError(f"the response is larger than {MAX_BYTES} bytes")
        return bytes(body)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
