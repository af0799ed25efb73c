"""Authentication, rate limits and scopes: the checks that run before the body of a request is read."""

from functools import lru_cache
from ipaddress import IPv6Address

from fastapi.openapi.models import HTTPBearer
from fastapi.security.base import SecurityBase
from starlette.requests import HTTPConnection

from todo_api.adapters.http.context import add_allowance, context_of
from todo_api.application.access import AuthenticationError, MissingTokenError, Principal, Scope, TokenVerifier
from todo_api.application.rates import RateLimits


class BearerAuthentication(SecurityBase):
    """A dependency that verifies the bearer token, counts the request, and checks the token's scope.

    `GET` needs the scope `tasks:read`, everything else `tasks:write`. A request is checked once, even if
    several dependencies need it.
    """

    def __init__(self) -> None:
        self.model = HTTPBearer(bearerFormat="JWT")
        self.scheme_name = "bearerAuth"

    async def __call__(self, connection: HTTPConnection) -> Principal:
        """Return the caller.

        Raises:
            AuthenticationError: There is no valid token.
            TooManyRequestsError: The user has reached the limit, or the address has after failed attempts.
            InsufficientScopeError: The token does not have the scope.
        """
        context = context_of(connection.scope)
        if context.principal is None:
            limits: RateLimits = connection.app.state.config.rate_limits
            principal = await _verified(connection, limits)
            context.user_id = principal.user_id
            add_allowance(connection.scope, await limits.users.take(principal.user_id))
            principal.require(Scope.READ if connection.scope.get("method", "GET") == "GET" else Scope.WRITE)
            context.principal = principal
        return context.principal


authenticate = BearerAuthentication()


async def _verified(connection: HTTPConnection, limits: RateLimits) -> Principal:
    address = _subscriber(connection.client.host) if connection.client else ""
    await limits.addresses.check(address)
    verifier: TokenVerifier = connection.app.state.verifier
    try:
        return await verifier.verify(_bearer_token(connection))
    except AuthenticationError:
        await limits.addresses.take(address)
        raise


def _bearer_token(connection: HTTPConnection) -> str:
    """Return the token of the Authorization header (RFC 6750, section 2.1)."""
    scheme, _, token = connection.headers.get("authorization", "").partition(" ")
    token = token.strip(" ")
    if scheme.lower() != "bearer" or not token:
        raise MissingTokenError
    return token


@lru_cache(4096)
def _subscriber(address: str) -> str:
    """Return the address, or the /64 network of an IPv6 address: one subscriber can use all addresses of it."""
    try:
        caller = IPv6Address(address)
    except ValueError:  # IPv4, or a name that a proxy sent
        return address
    if caller.ipv4_mapped:  # all IPv4 clients of an IPv6 socket share one /64
        return str(caller.ipv4_mapped)
    return caller.packed[:8].hex()
