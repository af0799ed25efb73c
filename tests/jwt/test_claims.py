"""Required and forbidden claims."""

from collections.abc import Set as AbstractSet
from typing import Any

import pytest
from tests.jwt.signing import NOW, ORIGIN, SECRET, Signer, claims, secret_token, secret_verifier, set_up, sign

from todo_api.application.access import ExpiredTokenError, InvalidTokenError, Principal

SIGNER = Signer("EdDSA")


async def by_secret(changes: dict[str, Any], **config: Any) -> Principal:
    return await secret_verifier(**config).verify(secret_token(changes))


async def by_key(changes: dict[str, Any], **config: Any) -> Principal:
    return await set_up(SIGNER.jwk(), **config).verifier.verify(SIGNER.token(changes))


@pytest.mark.parametrize("subject", ["a", "x" * 255, "é" * 255, "😀" * 255, "user 1", "../..", "'; --", "\u202e", " "])
async def test_any_string_of_1_to_255_characters_is_a_subject(subject: str) -> None:
    assert (await by_secret({"sub": subject})).user_id == subject


@pytest.mark.parametrize(
    "subject", [None, "", "x" * 256, 7, 7.5, True, ["user-1"], {"id": "user-1"}, "a\0b", "\ud800", "\udc00\ud800"]
)
async def test_other_subjects_are_refused(subject: object) -> None:
    with pytest.raises(InvalidTokenError):
        await by_secret({"sub": subject})


async def test_null_is_not_a_subject() -> None:
    token = sign("HS256", SECRET.encode(), '{"sub":null,"exp":1800000900}')
    with pytest.raises(InvalidTokenError):
        await secret_verifier().verify(token)


async def test_only_the_subject_names_the_user() -> None:
    others = {"id": "eve", "userId": "eve", "user_id": "eve", "uid": "eve", "email": "eve", "user": {"id": "eve"}}
    assert (await by_secret({**others, "sub": "user-1"})).user_id == "user-1"
    with pytest.raises(InvalidTokenError):
        await by_secret({**others, "sub": None})


@pytest.mark.parametrize("end", [NOW + 900, NOW - 29.5, NOW + 0.5, int(NOW), 9_999_999_999])
async def test_a_token_is_valid_until_30_seconds_after_exp(end: float) -> None:
    assert (await by_secret({"exp": end})).expires_at == end


@pytest.mark.parametrize("end", [NOW - 30, NOW - 31, NOW - 90_000, 0, -1])
async def test_only_a_valid_token_can_be_called_expired(end: float) -> None:
    with pytest.raises(ExpiredTokenError):
        await by_secret({"exp": end})
    with pytest.raises(InvalidTokenError):
        await by_secret({"exp": end, "sub": None})
    with pytest.raises(InvalidTokenError):
        await secret_verifier().verify(
            sign("HS256", b"another secret of more than 32 characters", claims({"exp": end}))
        )


NO_TIMES = ['"1800000900"', "true", "null", "[]", "{}", "NaN", "Infinity", "-Infinity", "1e999", "-1e999"]
MILLISECONDS = ["1800000900000", "253402300800", "1" + "0" * 30, "1" + "0" * 400, "1" + "0" * 5000]


@pytest.mark.parametrize("end", [*NO_TIMES, *MILLISECONDS], ids=lambda end: end[:20])
async def test_an_exp_that_is_not_a_time_in_seconds_is_refused(end: str) -> None:
    assert (await secret_verifier().verify(with_end(',"exp":1800000900'))).expires_at == 1_800_000_900
    with pytest.raises(InvalidTokenError):
        await secret_verifier().verify(with_end(f',"exp":{end}'))


async def test_a_token_without_exp_is_refused() -> None:
    with pytest.raises(InvalidTokenError):
        await secret_verifier().verify(with_end(""))


def with_end(member: str) -> str:
    return sign("HS256", SECRET.encode(), f'{{"sub":"user-1"{member}}}')


async def test_a_token_is_not_valid_before_nbf() -> None:
    await by_secret({"nbf": NOW + 30})
    for start in (NOW + 31, NOW * 1000, "1800000000", True, [1]):
        with pytest.raises(InvalidTokenError):
            await by_secret({"nbf": start})


async def test_iat_must_be_a_time_and_may_be_in_the_future() -> None:
    await by_secret({"iat": NOW + 3600})
    for issued in ("yesterday", True, NOW * 1000):
        with pytest.raises(InvalidTokenError):
            await by_secret({"iat": issued})


@pytest.mark.parametrize("claim", ["iss", "aud"])
@pytest.mark.parametrize("value", [None, "", "http://localhost:3001", f"{ORIGIN}.evil.example", 7, {}, ORIGIN.upper()])
async def test_issuer_and_audience_must_be_in_tokens_of_published_keys(claim: str, value: object) -> None:
    with pytest.raises(InvalidTokenError):
        await by_key({claim: value})


@pytest.mark.parametrize("claim", ["iss", "aud"])
async def test_a_trailing_slash_does_not_matter(claim: str) -> None:
    slashed = frozenset({f"{ORIGIN}/"})
    await by_key({claim: f"{ORIGIN}/"})
    await by_key({}, issuers=slashed, audiences=slashed)


@pytest.mark.parametrize("audience", [[ORIGIN], ["todo-api", ORIGIN], [f"{ORIGIN}/", "todo-api"]])
async def test_one_of_several_audiences_is_enough(audience: list[str]) -> None:
    await by_key({"aud": audience})


@pytest.mark.parametrize("audience", [[], ["todo-api"], [7, ORIGIN], [None], [[ORIGIN]]])
async def test_other_lists_of_audiences_are_refused(audience: list[object]) -> None:
    with pytest.raises(InvalidTokenError):
        await by_key({"aud": audience})


async def test_a_list_of_issuers_is_refused() -> None:
    with pytest.raises(InvalidTokenError):
        await by_key({"iss": [ORIGIN]})


async def test_each_configured_issuer_and_audience_is_accepted() -> None:
    config = {"issuers": frozenset({"https://a.example", "https://b.example"}), "audiences": frozenset({"one", "two"})}
    await by_key({"iss": "https://b.example", "aud": "two"}, **config)
    with pytest.raises(InvalidTokenError):
        await by_key({}, **config)


async def test_issuer_and_audience_are_not_checked_by_default() -> None:
    await by_key({"iss": None, "aud": None}, issuers=frozenset(), audiences=frozenset())
    await by_key({"iss": "anyone", "aud": "anything"}, issuers=frozenset(), audiences=frozenset())


@pytest.mark.parametrize("claim", ["iss", "aud"])
async def test_issuer_and_audience_of_shared_secret_tokens_are_optional(claim: str) -> None:
    config = {"issuers": frozenset({ORIGIN}), "audiences": frozenset({ORIGIN})}
    await by_secret({}, **config)
    await by_secret({claim: ORIGIN}, **config)
    for value in ("https://other.example", "", 7):
        with pytest.raises(InvalidTokenError):
            await by_secret({claim: value}, **config)
    await by_secret({claim: "https://other.example"})


@pytest.mark.parametrize(
    ("scope", "expected"),
    [
        ("tasks:read", {"tasks:read"}),
        ("tasks:read tasks:write", frozenset({"tasks:read", "tasks:write"})),
        (" openid  tasks:read ", {"openid", "tasks:read"}),
        (["tasks:write"], {"tasks:write"}),
        ("", set()),
        (" ", set()),
        ([], set()),
    ],
)
async def test_a_scope_limits_a_token(scope: object, expected: AbstractSet[str]) -> None:
    assert (await by_secret({"scope": scope})).scopes == expected


async def test_a_token_without_a_scope_has_no_limits() -> None:
    assert (await by_secret({})).scopes is None


@pytest.mark.parametrize("scope", [7, True, {"tasks:read": True}, [7], ["tasks:read", None]])
async def test_any_other_scope_makes_a_token_invalid(scope: object) -> None:
    with pytest.raises(InvalidTokenError):
        await by_secret({"scope": scope})


async def test_a_scope_of_null_is_refused() -> None:
    with pytest.raises(InvalidTokenError):
        await secret_verifier().verify(sign("HS256", SECRET.encode(), '{"sub":"a","exp":1800000900,"scope":null}'))
