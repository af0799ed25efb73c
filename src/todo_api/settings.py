"""The settings: one environment variable for everything that an operator must or may decide.

Read by the composition root, the command line and `migrations/env.py` alone. docs/settings.md tells operators of them.
"""

from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AliasChoices, BeforeValidator, Field, SecretStr, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

# Better Auth signs with these when it is given no secret, with the first since version 1.4. Anybody can read them in
# https://github.com/better-auth/better-auth, packages/better-auth/src/utils/constants.ts
PUBLIC_DEFAULT_SECRETS = frozenset({"better-auth-secret-12345678901234567890", "better-auth-secret-123456789"})
SHORTEST_SECRET = 32

DEFAULT_PORTS = {"http": 80, "https": 443}


def _comma_list(value: object) -> object:
    if isinstance(value, str):
        return tuple(part for part in (item.strip() for item in value.split(",")) if part)
    return value


CommaList = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_comma_list)]


def _origin(url: str) -> str:
    """Return the address's origin as Better Auth writes it (RFC 6454, section 6.2), or raise ValueError."""
    parts = urlsplit(url)
    scheme, host, port = parts.scheme, parts.hostname, parts.port
    if scheme not in DEFAULT_PORTS or not host:
        raise ValueError("no http:// or https:// address")
    name = f"[{host}]" if ":" in host else host.encode("idna").decode()
    return f"{scheme}://{name}" if port in (None, DEFAULT_PORTS[scheme]) else f"{scheme}://{name}:{port}"


class ConfigurationError(Exception):
    """The settings do not add up; the message names the variable and says what to do."""


class Settings(BaseSettings):
    """What the environment, or a `.env` file in the working directory, says."""

    model_config = SettingsConfigDict(
        env_file=".env",
        extra="ignore",
        env_ignore_empty=True,
        frozen=True,
        hide_input_in_errors=True,  # some are secret
    )

    host: str = "127.0.0.1"
    port: int = Field(8000, ge=0, le=65535)
    workers: int = Field(1, ge=1)
    data_dir: Path = Path(".data")

    database_url: SecretStr | None = Field(None, validation_alias=AliasChoices("DATABASE_URL", "NEON_DB_URL"))
    database_pool_size: int = Field(10, ge=1)
    database_pool_timeout: float = Field(5.0, gt=0, description="seconds to wait for a free connection")
    database_connect_timeout: float = Field(5.0, gt=0, description="seconds to wait for a new connection")
    database_statement_timeout: float = Field(10.0, gt=0, description="seconds to wait for a statement")
    database_hot_path: bool = Field(default=True, description="whether hot calls bypass SQLAlchemy's execute")

    better_auth_url: str | None = None
    better_auth_jwks_url: str | None = None
    better_auth_issuer: CommaList = ()
    better_auth_audience: CommaList = ()
    better_auth_secret: SecretStr | None = None

    cors_origins: CommaList = ("http://localhost:3000",)
    trusted_proxies: CommaList = Field((), description="addresses and networks whose X-Forwarded headers are believed")
    docs: bool = Field(default=True, description="whether /docs, /redoc and /openapi.json are there")
    rate_limit: str = Field("6000/minute", description="of each user's requests, or `off`")
    rate_limit_failed: str = Field("100/minute", description="of an address's requests without a good token, or `off`")
    rate_limit_redis_url: SecretStr | None = Field(None, description="where all processes count together")
    access_log: bool = True
    metrics_port: int | None = Field(None, ge=1, le=65535, description="where Prometheus is answered, on METRICS_HOST")
    metrics_host: str = "127.0.0.1"
    max_connections: int = Field(12_000, ge=1, description="that each process keeps open")
    max_header_bytes: int = Field(32 * 1024, ge=1024, description="of one request's header, all fields together")
    header_timeout: float = Field(10.0, gt=0, description="seconds for the header of a request to arrive")
    request_timeout: float = Field(30.0, gt=0, description="seconds for the body of a request to arrive")
    log_format: Literal["json", "console"] | None = None
    max_body_bytes: int = Field(1024 * 1024, ge=1)
    event_streams_per_user: int = Field(10, ge=1, description="that each process has open")

    task_quota: int = Field(10_000, ge=1, le=1_000_000_000, description="tasks of one user, less those in the trash")
    trash_days: int = Field(30, ge=1, le=36_500, description="after which deleted tasks are purged")
    tombstone_days: int = Field(90, ge=1, le=36_500, description="for which clients may be away and still catch up")
    purge_interval: float = Field(3600.0, ge=0, le=365 * 86_400, description="seconds between purges; 0 for none")

    @field_validator("data_dir")
    @classmethod
    def _expand_home(cls, value: Path) -> Path:
        return value.expanduser()

    @field_validator("cors_origins")
    @classmethod
    def _as_browsers_write_it(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(origin.rstrip("/") for origin in value)

    @field_validator("better_auth_url", "better_auth_jwks_url")
    @classmethod
    def _is_http_url(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value is None:
            return None
        try:
            _origin(value.strip())
        except ValueError as error:
            raise ValueError(f"{str(info.field_name).upper()} is no http:// or https:// address") from error
        return value.strip()

    @property
    def better_auth_origin(self) -> str | None:
        """The origin of BETTER_AUTH_URL: what Better Auth's JWT plugin writes as issuer and audience."""
        return _origin(self.better_auth_url) if self.better_auth_url else None

    @property
    def token_jwks_url(self) -> str | None:
        """Where the keys of tokens are published, if anywhere."""
        if self.better_auth_jwks_url or not self.better_auth_origin:
            return self.better_auth_jwks_url
        return f"{self.better_auth_origin}/api/auth/jwks"

    @property
    def token_issuers(self) -> frozenset[str]:
        """Whose tokens are accepted; empty accepts any issuer that has the key."""
        return self._or_origin(self.better_auth_issuer)

    @property
    def token_audiences(self) -> frozenset[str]:
        """For whom a token may be meant; empty accepts any audience."""
        return self._or_origin(self.better_auth_audience)

    @property
    def token_secret(self) -> str | None:
        """What verifies HS256 tokens, if anything."""
        return self.better_auth_secret.get_secret_value() if self.better_auth_secret else None

    def require_token_verification(self) -> None:
        """Raise ConfigurationError unless tokens can be verified, and by nothing that anybody could sign with."""
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
                "no token could be verified: set BETTER_AUTH_URL to the front end's address, such as "
                "https://app.example.com, or BETTER_AUTH_SECRET to the secret that it signs with"
            )

    def _or_origin(self, values: tuple[str, ...]) -> frozenset[str]:
        default = (self.better_auth_origin,) if self.better_auth_origin else ()
        return frozenset(values or default)
