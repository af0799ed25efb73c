"""The variables of Better Auth, and the verifier that they configure."""

import os

import pytest
from pydantic import ValidationError

from todo_api.settings import ConfigurationError, Settings

SECRET = "a-secret-of-more-than-thirty-two-characters"


@pytest.fixture(autouse=True)
def _no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.upper().startswith("BETTER_AUTH_")]:
        monkeypatch.delenv(name)


def read(monkeypatch: pytest.MonkeyPatch, **variables: str) -> Settings:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    return Settings(_env_file=None)


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("http://localhost:3000", "http://localhost:3000"),
        ("http://localhost:3000/", "http://localhost:3000"),
        ("http://localhost:3000/api/auth", "http://localhost:3000"),
        (" HTTPS://App.Example.COM:443/x?y#z ", "https://app.example.com"),
        ("http://app.example.com:80", "http://app.example.com"),
        ("http://app.example.com:443", "http://app.example.com:443"),
        ("http://user:password@app.example.com", "http://app.example.com"),
        ("https://bücher.example", "https://xn--bcher-kva.example"),
        ("http://[::1]:3000", "http://[::1]:3000"),
        ("http://next_app:3000", "http://next_app:3000"),
    ],
)
def test_the_url_is_enough(monkeypatch: pytest.MonkeyPatch, url: str, origin: str) -> None:
    settings = read(monkeypatch, BETTER_AUTH_URL=url)
    assert settings.better_auth_origin == origin
    assert settings.token_jwks_url == f"{origin}/api/auth/jwks"
    assert settings.token_issuers == settings.token_audiences == frozenset({origin})
    assert settings.token_secret is None
    settings.require_token_verification()


def test_each_part_can_be_overridden(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = read(
        monkeypatch,
        BETTER_AUTH_URL="http://localhost:3000",
        BETTER_AUTH_JWKS_URL="http://web:3000/auth/keys",
        BETTER_AUTH_ISSUER="https://a.example, https://b.example/,",
        BETTER_AUTH_AUDIENCE="todo-api",
    )
    assert settings.token_jwks_url == "http://web:3000/auth/keys"
    assert settings.token_issuers == frozenset({"https://a.example", "https://b.example/"})
    assert settings.token_audiences == frozenset({"todo-api"})


@pytest.mark.parametrize("nothing", ["", ",", " , "])
def test_an_empty_override_overrides_nothing(monkeypatch: pytest.MonkeyPatch, nothing: str) -> None:
    settings = read(monkeypatch, BETTER_AUTH_URL="http://localhost:3000", BETTER_AUTH_AUDIENCE=nothing)
    assert settings.token_audiences == frozenset({"http://localhost:3000"})


@pytest.mark.parametrize(
    "variables",
    [
        {"BETTER_AUTH_JWKS_URL": "http://web:3000/keys"},
        {"BETTER_AUTH_SECRET": SECRET},
        {"BETTER_AUTH_SECRET": "x" * 32},
        {"BETTER_AUTH_URL": "http://localhost:3000", "BETTER_AUTH_SECRET": SECRET},
    ],
    ids=str,
)
def test_each_way_to_verify_is_enough(monkeypatch: pytest.MonkeyPatch, variables: dict[str, str]) -> None:
    read(monkeypatch, **variables).require_token_verification()


@pytest.mark.parametrize(
    "secret",
    ["x" * 31, "secret", "better-auth-secret-12345678901234567890", "better-auth-secret-123456789"],
)
@pytest.mark.parametrize("url", ["", "http://localhost:3000"])
def test_an_unsafe_secret_is_refused(monkeypatch: pytest.MonkeyPatch, secret: str, url: str) -> None:
    settings = read(monkeypatch, BETTER_AUTH_SECRET=secret, BETTER_AUTH_URL=url)
    with pytest.raises(ConfigurationError, match="BETTER_AUTH_SECRET") as refusal:
        settings.require_token_verification()
    assert secret not in str(refusal.value).split()
    assert ("public" in str(refusal.value)) == secret.startswith("better-auth")


def test_a_configuration_without_keys_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = read(monkeypatch, BETTER_AUTH_SECRET="", BETTER_AUTH_ISSUER="https://a.example")
    with pytest.raises(ConfigurationError, match=r"BETTER_AUTH_URL.*BETTER_AUTH_SECRET"):
        settings.require_token_verification()


@pytest.mark.parametrize("name", ["BETTER_AUTH_URL", "BETTER_AUTH_JWKS_URL"])
@pytest.mark.parametrize(
    "address", ["localhost:3000", "/jwks", "ftp://a.example", "http://", "http://:3000", "http://a:x", "http://[::1"]
)
def test_an_invalid_url_is_refused(monkeypatch: pytest.MonkeyPatch, name: str, address: str) -> None:
    with pytest.raises(ValidationError, match=name.lower()):
        read(monkeypatch, **{name: address})


def test_the_secret_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = read(monkeypatch, BETTER_AUTH_SECRET=SECRET)
    assert SECRET not in repr(settings)
    assert settings.token_secret == SECRET


@pytest.mark.parametrize("names", ["x-łódź", "x foo", "X-A:1", "X-A;X-B"])
def test_the_names_of_allowed_headers_are_checked(monkeypatch: pytest.MonkeyPatch, names: str) -> None:
    with pytest.raises(ValidationError, match="is not the name of a header"):
        read(monkeypatch, CORS_HEADERS=f"X-Tenant, {names}")
    assert read(monkeypatch, CORS_HEADERS="X-Tenant, x_b").cors_headers == ("X-Tenant", "x_b")
