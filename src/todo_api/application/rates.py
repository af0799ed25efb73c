"""Rate limits: the port that counts calls."""

from dataclasses import dataclass
from typing import Protocol

from todo_api.domain.errors import TodoError


@dataclass(frozen=True, slots=True)
class Allowance:
    """The state of a rate limit.

    Attributes:
        limit: Calls that are allowed in a window.
        window: The length of the window in seconds.
        remaining: Calls that are left in the current window.
        reset: Seconds until the current window ends.
    """

    limit: int
    window: int
    remaining: int
    reset: int


class TooManyRequestsError(TodoError):
    """The rate limit is exceeded until the window ends."""

    def __init__(self, allowance: Allowance) -> None:
        super().__init__(
            f"{allowance.limit:,} requests in {allowance.window:,} seconds are allowed; "
            f"retry in {allowance.reset:,} seconds"
        )
        self.allowance = allowance


class RateLimiter(Protocol):
    """Counts calls by name, such as a user id. If it cannot count, it allows every call."""

    async def take(self, name: str) -> Allowance | None:
        """Count a call and return the allowance; None if there is no limit or it cannot be counted.

        Raises:
            TooManyRequestsError: No call was left.
        """
        ...

    async def check(self, name: str) -> None:
        """Raise TooManyRequestsError if no call is left; count nothing."""
        ...

    async def aclose(self) -> None:
        """Close the connections to the storage of the counters."""
        ...


class Unlimited:
    """The RateLimiter that allows every call."""

    async def take(self, name: str) -> None:
        pass

    async def check(self, name: str) -> None:
        pass

    async def aclose(self) -> None:
        pass


@dataclass(frozen=True, slots=True, kw_only=True)
class RateLimits:
    """Limits for the calls of each user, and for failed authentications from each network address."""

    users: RateLimiter
    addresses: RateLimiter

    async def aclose(self) -> None:
        """Close both limiters."""
        await self.users.aclose()
        await self.addresses.aclose()


NO_LIMITS = RateLimits(users=Unlimited(), addresses=Unlimited())
