"""The settings, each an environment variable. docs/settings.md describes them for operators.

Only the composition root, the command line and `migrations/env.py` read them.
"""

import re
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, AliasChoices, BeforeValidator, Field, SecretStr
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

# Better Auth's default secrets, the first one since version 1.4. They are public:
# https://github.com/better-auth/better-auth, packages/better-auth/src/utils/constants.ts
PUBLIC_DEFAULT_SECRETS = frozenset({"better-auth-secret-12345678901234567890", "better-auth-secret-123456789"})
SHORTEST_SECRET = 32

_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")  # RFC 9110, section 5.6.2; it includes `*` for all headers
DEFAULT_PORTS = {"http": 80, "https": 443}


def _comma_list(value: object) -> object:
    if isinstance(value, str):
        return tuple(part for part in (item.strip() for item in value.split(",")) if part)
    return value


def _header_names(names: tuple[str, ...]) -> tuple[str, ...]:
    for name in names:
        if not _TOKEN.fullmatch(name):
            raise ValueError(f"{name} is not the name of a header, such as X-Tenant")
    return names


def _without_trailing_slash(origins: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(origin.rstrip("/") for origin in origins)


def _web_url(value: str) -> str:
    url = value.strip()
    try:
        _origin(url)
    except ValueError as error:
        raise ValueError("not an http:// or https:// URL") from error
    return url


CommaList = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_comma_list)]
WebUrl = Annotated[str, AfterValidator(_web_url)]


def _origin(url: str) -> str:
    """Return the URL's origin as Better Auth writes it (RFC 6454, section 6.2), or raise ValueError."""
    parts = urlsplit(url)
    scheme, host, port = parts.scheme, parts.hostname, parts.port
    if scheme not in DEFAULT_PORTS or not host:
        raise ValueError("not an http:// or https:// URL")
    name = f"[{host}]" if ":" in host else host.encode("idna").decode()
    return f"{scheme}://{name}" if port in (None, DEFAULT_PORTS[scheme]) else f"{scheme}://{name}:{port}"


class ConfigurationError(Exception):
    """A setting is missing or wrong. The message names the variable and the solution."""


class Settings(BaseSettings):
    """Settings from the environment, or from a `.env` file in the working directory."""

    model_config = SettingsConfigDict(
        env_file=".env",
        extra="ignore",
        env_ignore_empty=True,
        frozen=True,
        hide_input_in_errors=True,  # some settings are secret
    )

    host: str = "127.0.0.1"
    port: int = Field(8000, ge=0, le=65535)
    workers: int = Field(1, ge=1)
    data_dir: Annotated[Path, AfterValidator(Path.expanduser)] = Path(".data")

    database_url: SecretStr | None = Field(None, validation_alias=AliasChoices("DATABASE_URL", "NEON_DB_URL"))
    database_pool_size: int = Field(10, ge=1)
    database_pool_timeout: float = Field(5.0, gt=0, description="seconds to wait for a free connection")
    database_connect_timeout: float = Field(5.0, gt=0, description="seconds to wait for a new connection")
    database_statement_timeout: float = Field(10.0, gt=0, description="seconds for a statement")
    database_hot_path: bool = Field(default=True, description="whether hot calls bypass SQLAlchemy's execute")
    http_hot_path: bool = Field(default=True, description="whether hot endpoints bypass FastAPI's dependency solver")

    better_auth_url: WebUrl | None = None
    better_auth_jwks_url: WebUrl | None = None
    better_auth_issuer: CommaList = ()
    better_auth_audience: CommaList = ()
    better_auth_secret: SecretStr | None = None

    cors_origins: Annotated[CommaList, AfterValidator(_without_trailing_slash)] = ("http://localhost:3000",)
    cors_headers: Annotated[CommaList, AfterValidator(_header_names)] = Field(
        (), description="request headers that pages may send beside those of the API"
    )
    trusted_proxies: CommaList = Field((), description="addresses and networks whose X-Forwarded headers are trusted")
    root_path: str = Field("", description="the prefix of all paths behind a proxy, such as /todo")
    docs: bool = Field(default=True, description="whether /docs, /redoc and /openapi.json are served")
    rate_limit: str = Field("6000/minute", description="requests of a user, or `off`")
    rate_limit_failed: str = Field("100/minute", description="requests of an address without a valid token, or `off`")
    rate_limit_redis_url: SecretStr | None = Field(None, description="where all processes count together")
    access_log: bool = True
    metrics_port: int | None = Field(None, ge=1, le=65535, description="the port for Prometheus, on METRICS_HOST")
    metrics_host: str = "127.0.0.1"
    max_connections: int = Field(12_000, ge=1, description="open connections of a process")
    max_header_bytes: int = Field(32 * 1024, ge=1024, description="bytes of a request line and its header fields")
    header_timeout: float = Field(10.0, gt=0, description="seconds for the header of a request to arrive")
    request_timeout: float = Field(30.0, gt=0, description="seconds for the body of a request to arrive")
    log_format: Literal["json", "console"] | None = None
    max_body_bytes: int = Field(1024 * 1024, ge=1)
    event_streams_per_user: int = Field(10, ge=1, description="open streams of a user in a process")

    task_quota: int = Field(10_000, ge=1, le=1_000_000_000, description="tasks of a user, without the trash")
    trash_days: int = Field(30, ge=1, le=36_500, description="days until deleted tasks are purged")
    tombstone_days: int = Field(90, ge=1, le=36_500, description="days that a client may be offline and still sync")
    purge_interval: float = Field(3600.0, ge=0, le=365 * 86_400, description="seconds between purges; 0 for none")

    @property
    def better_auth_origin(self) -> str | None:
        """The origin of BETTER_AUTH_URL, which Better Auth's JWT plugin sets as issuer and audience."""
        return _origin(self.better_auth_url) if self.better_auth_url else None

    @property
    def token_jwks_url(self) -> str | None:
        """The URL of the published keys, if any."""
        if self.better_auth_jwks_url or not self.better_auth_origin:
            return self.better_auth_jwks_url
        return f"{self.better_auth_origin}/api/auth/jwks"

    @property
    def token_issuers(self) -> frozenset[str]:
        """The accepted issuers; if empty, all are accepted."""
        return self._or_origin(self.better_auth_issuer)

    @property
    def token_audiences(self) -> frozenset[str]:
        """The accepted audiences; if empty, all are accepted."""
        return self._or_origin(self.better_auth_audience)

    @property
    def token_secret(self) -> str | None:
        """The secret that verifies HS256 tokens, if any."""
        return self.better_auth_secret.get_secret_value() if self.better_auth_secret else None

    def require_token_verification(self) -> None:
        """Raise ConfigurationError if tokens cannot be verified, or the secret is short or public."""
        secret = None if self.token_secret is None else self.token_secret.strip()
        if secret in PUBLIC_DEFAULT_SECRETS:
            raise ConfigurationError(
                "BETTER_AUTH_SECRET is the default of Better Auth, which is public: anybody could sign in as anybody. "
                "Set it, here and for Better Auth, to the output of: openssl rand -base64 32"
            )
        if secret is not None and len(secret) < SHORTEST_SECRET:
            raise ConfigurationError(
                f"BETTER_AUTH_SECRET has {len(secret)} characters and needs {SHORTEST_SECRET} or more. "
                "Set it, here and for Better Auth, to the output of: openssl rand -base64 32"
            )
        if secret is None and self.token_jwks_url is None:
            raise ConfigurationError(
                "tokens cannot be verified: set BETTER_AUTH_URL to the URL of the front end, such as "
                "https://app.example.com, or BETTER_AUTH_SECRET to the secret that it signs with"
            )

    def _or_origin(self, values: tuple[str, ...]) -> frozenset[str]:
        default = (self.better_auth_origin,) if self.better_auth_origin else ()
        return frozenset(values or default)
