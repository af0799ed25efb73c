"""How often somebody may call: the port, and the error of those who call more often."""

from dataclasses import dataclass
from typing import Protocol

from todo_api.domain.errors import TodoError


@dataclass(frozen=True, slots=True)
class Allowance:
    """What is left of a limit: `remaining` of `limit` calls in the window of so many seconds, which ends in `reset`."""

    limit: int
    window: int
    remaining: int
    reset: int


class TooManyRequestsError(TodoError):
    """The limit is used up until the window ends."""

    def __init__(self, allowance: Allowance) -> None:
        """Take what there was to use."""
        super().__init__(
            f"{allowance.limit:,} requests in {allowance.window:,} seconds are allowed; "
            f"send this one again in {allowance.reset:,} seconds"
        )
        self.allowance = allowance


class RateLimiter(Protocol):
    """Counts the calls of each name, such as a user's id. What cannot count, lets everybody pass."""

    async def take(self, name: str) -> Allowance | None:
        """Count a call and return what is left; None where there is no limit, or none that can be told.

        Raises:
            TooManyRequestsError: There was nothing left.
        """
        ...

    async def check(self, name: str) -> None:
        """Count nothing, and raise TooManyRequestsError if nothing is left."""
        ...

    async def aclose(self) -> None:
        """Close the connections to where it is counted."""
        ...


class Unlimited:
    """Lets everybody call as often as they like."""

    async def take(self, name: str) -> None:
        """Count nothing."""

    async def check(self, name: str) -> None:
        """Let everybody pass."""

    async def aclose(self) -> None:
        """Do nothing: there is no connection."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RateLimits:
    """Limits on the calls of each user, and on the failed sign-ins from each network address."""

    users: RateLimiter
    addresses: RateLimiter

    async def aclose(self) -> None:
        """Close the connections of both."""
        await self.users.aclose()
        await self.addresses.aclose()


NO_LIMITS = RateLimits(users=Unlimited(), addresses=Unlimited())
