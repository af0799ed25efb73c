"""The published keys, and when they are fetched again."""

import asyncio
import logging
import math
from collections.abc import Callable

from todo_api.adapters.jwt.endpoint import JwksEndpoint, KeySetUnavailableError
from todo_api.adapters.jwt.keys import VerificationKey
from todo_api.application.access import VerifierUnavailableError

logger = logging.getLogger(__name__)

REFRESH_INTERVAL = 600.0
SEARCH_INTERVAL = 30.0
RETRY_INTERVAL = 2.0

Keys = tuple[VerificationKey, ...]


class PublishedKeySet:
    """Keeps the last key set that was fetched. All times are in seconds.

    - The first token that needs keys starts a fetch; tokens that arrive meanwhile wait for the same fetch.
    - A set that is 10 minutes old is refreshed in the background when it is used.
    - A token that no key verifies may be signed by a new key. It starts a fetch at most every 30 seconds, so that
      unauthenticated clients cannot flood the issuer.
    - A failed fetch keeps the keys, and is tried again after 2 seconds, or 30 in the background.
    """

    def __init__(
        self,
        endpoint: JwksEndpoint,
        *,
        clock: Callable[[], float],
        on_change: Callable[[Keys], None],
        on_fetch: Callable[[bool], None] | None = None,
    ) -> None:
        """Start without keys.

        Args:
            endpoint: Publishes the keys; it is closed with the set.
            clock: A monotonic clock.
            on_change: Called with the new keys when they have changed.
            on_fetch: Called after each fetch with whether it succeeded.
        """
        self._endpoint = endpoint
        self._on_fetch = on_fetch
        self._clock = clock
        self._on_change = on_change
        self._keys: Keys | None = None
        self.generation = 0  # the number of sets fetched so far
        self._refresh_at = math.inf
        self._next_attempt = -math.inf
        self._next_search = -math.inf
        self._refreshing: asyncio.Task[None] | None = None

    def refresh_if_old(self) -> None:
        """Start a refresh in the background if it is due."""
        if self._clock() >= self._refresh_at and self._refreshing is None:
            self._refreshing = asyncio.create_task(self._refresh())

    async def current(self) -> Keys:
        """Return the keys, at once if there are any.

        Raises:
            VerifierUnavailableError: No keys could be fetched yet.
        """
        if self._keys is None:
            await self._wait_for_refresh()
        if self._keys is None:
            raise VerifierUnavailableError("the keys that verify tokens are not available at the moment")
        self.refresh_if_old()
        return self._keys

    async def newer(self, generation: int) -> Keys | None:
        """Return the keys of a later generation, fetched if that is allowed now, or None."""
        if self.generation == generation and self._may_search():
            await self._wait_for_refresh()
        return self._keys if self.generation != generation else None

    async def aclose(self) -> None:
        """Cancel a refresh, and close the endpoint."""
        if self._refreshing is not None:
            self._refreshing.cancel()
            await asyncio.wait({self._refreshing})
        await self._endpoint.aclose()

    def _may_search(self) -> bool:
        if self._refreshing is not None:
            return True
        if self._clock() < self._next_search:
            return False
        self._next_search = self._clock() + SEARCH_INTERVAL
        return True

    async def _wait_for_refresh(self) -> None:
        if self._refreshing is None:
            if self._clock() < self._next_attempt:
                return
            self._refreshing = asyncio.create_task(self._refresh())
        # Unlike awaiting the task, this does not cancel it when one of several waiting callers is cancelled.
        await asyncio.wait({self._refreshing})

    async def _refresh(self) -> None:
        succeeded = False
        try:
            self._adopt(await self._endpoint.fetch())
            succeeded = True
        except KeySetUnavailableError as error:
            logger.warning("the JWK set could not be fetched: %s", error)
            self._postpone()
        except Exception:
            # Nothing awaits this task; after an unexpected error, the next attempt must wait too.
            logger.exception("the JWK set could not be fetched")
            self._postpone()
        finally:
            self._refreshing = None
            if self._on_fetch:
                self._on_fetch(succeeded)

    def _adopt(self, keys: Keys) -> None:
        changed = keys != self._keys
        self._keys = keys
        self.generation += 1
        self._refresh_at = self._clock() + REFRESH_INTERVAL
        if changed:
            logger.info("the JWK set has %d usable keys", len(keys))
            self._on_change(keys)

    def _postpone(self) -> None:
        now = self._clock()
        self._next_attempt = self._next_search = now + RETRY_INTERVAL
        if self._keys is not None:
            self._refresh_at = now + SEARCH_INTERVAL
