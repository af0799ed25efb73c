"""The published keys as they are known here, and when to ask for them again."""

import asyncio
import logging
import math
from collections.abc import Awaitable, Callable

from todo_api.adapters.jwt.endpoint import KeySetUnavailableError
from todo_api.adapters.jwt.keys import VerificationKey
from todo_api.application.access import VerifierUnavailableError

logger = logging.getLogger(__name__)

OLD_AFTER = 600.0
SEARCH_INTERVAL = 30.0
BACK_OFF = 2.0

KeySet = tuple[VerificationKey, ...]


class PublishedKeys:
    """Keeps the last key set that could be had. All times are seconds of a clock that never steps back.

    - The first token that needs keys waits for them, with all others that come meanwhile.
    - A set is refreshed in the background when it is 10 minutes old and used; nobody waits for that.
    - A token that no key verifies may be signed by a newer key: it makes for one search every 30 seconds, and no more,
      so that strangers cannot make this service hammer the other one.
    - A failure changes nothing but the time of the next attempt, in 2 seconds, or 30 in the background.
    """

    def __init__(
        self,
        fetch: Callable[[], Awaitable[KeySet]],
        *,
        clock: Callable[[], float],
        on_change: Callable[[KeySet], None],
        on_fetch: Callable[[bool], None] | None = None,
    ) -> None:
        """Take how to fetch a set, the clock, and who wants to know of another set, and how each fetch ended."""
        self._fetch = fetch
        self._on_fetch = on_fetch
        self._clock = clock
        self._on_change = on_change
        self._keys: KeySet | None = None
        self._generation = 0
        self._old_at = math.inf
        self._next_attempt = -math.inf
        self._next_search = -math.inf
        self._refreshing: asyncio.Task[None] | None = None

    def refresh_if_old(self) -> None:
        """Begin a refresh in the background if it is time for one."""
        if self._clock() >= self._old_at and self._refreshing is None:
            self._refreshing = asyncio.create_task(self._refresh())

    async def current(self) -> KeySet:
        """Return the keys, at once if there ever were any, or raise VerifierUnavailableError."""
        if self._keys is None:
            await self._refreshed()
        if self._keys is None:
            raise VerifierUnavailableError("the keys that verify tokens cannot be had at the moment")
        self.refresh_if_old()
        return self._keys

    async def search(self, since: int) -> KeySet | None:
        """Return a set of a later generation, or None if there is none to be had now."""
        if self._generation == since and self._may_search():
            await self._refreshed()
        return self._keys if self._generation != since else None

    @property
    def generation(self) -> int:
        """How many sets were adopted so far."""
        return self._generation

    async def aclose(self) -> None:
        """Stop refreshing."""
        if self._refreshing is not None:
            self._refreshing.cancel()
            await asyncio.wait({self._refreshing})

    def _may_search(self) -> bool:
        if self._refreshing is not None:
            return True
        if self._clock() < self._next_search:
            return False
        self._next_search = self._clock() + SEARCH_INTERVAL
        return True

    async def _refreshed(self) -> None:
        if self._refreshing is None:
            if self._clock() < self._next_attempt:
                return
            self._refreshing = asyncio.create_task(self._refresh())
        # Unlike awaiting the task, this leaves it alone when the one who waits is cancelled: others wait for it too.
        await asyncio.wait({self._refreshing})

    async def _refresh(self) -> None:
        fetched = False
        try:
            self._adopt(await self._fetch())
            fetched = True
        except KeySetUnavailableError as error:
            logger.warning("the JWK set could not be fetched: %s", error)
            self._postpone()
        except Exception:
            # Nobody awaits this task's result; an error that was not foreseen must not end in a storm of attempts.
            logger.exception("the JWK set could not be fetched")
            self._postpone()
        finally:
            self._refreshing = None
            if self._on_fetch:
                self._on_fetch(fetched)

    def _adopt(self, keys: KeySet) -> None:
        changed = keys != self._keys
        self._keys = keys
        self._generation += 1
        self._old_at = self._clock() + OLD_AFTER
        if changed:
            logger.info("the JWK set has %d usable keys", len(keys))
            self._on_change(keys)

    def _postpone(self) -> None:
        now = self._clock()
        self._next_attempt = self._next_search = now + BACK_OFF
        if self._keys is not None:
            self._old_at = now + SEARCH_INTERVAL
