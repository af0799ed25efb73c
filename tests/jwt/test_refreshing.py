"""When the published keys are fetched, and what happens when they cannot be."""

import asyncio

import pytest
from tests.jwt.signing import ORIGIN, SECRET, Setup, Signer, response, secret_token, set_up

from todo_api.application.access import ExpiredTokenError, InvalidTokenError, Principal, VerifierUnavailableError

OLD, NEW = Signer("EdDSA", "old", 0), Signer("EdDSA", "new", 1)


def stranger(number: int = 0) -> str:
    return Signer("EdDSA", f"unknown-{number}", 2).token()


async def idle() -> None:
    """Let background tasks finish."""
    for _ in range(50):
        await asyncio.sleep(0)


async def test_keys_are_fetched_once_when_they_are_needed() -> None:
    setup = set_up(OLD.jwk(), secret=SECRET)
    await setup.verifier.verify(secret_token())
    with pytest.raises(InvalidTokenError):
        await setup.verifier.verify("garbage")
    assert setup.issuer.asked == 0
    for number in range(5):
        await setup.verifier.verify(OLD.token({"sub": f"user-{number}"}))
    assert setup.issuer.asked == 1
    assert str(setup.issuer.requests[0].url) == f"{ORIGIN}/api/auth/jwks"


async def test_one_fetch_serves_all_waiting_callers() -> None:
    setup, gate = set_up(OLD.jwk()), asyncio.Event()
    setup.issuer.hold = gate.wait
    waiting = [asyncio.create_task(setup.verifier.verify(OLD.token({"sub": f"user-{n}"}))) for n in range(100)]
    strangers = [asyncio.create_task(setup.verifier.verify(stranger(number))) for number in range(10)]
    await idle()
    gate.set()
    assert [(await task).user_id for task in waiting] == [f"user-{number}" for number in range(100)]
    assert all(
        isinstance(error, InvalidTokenError) for error in await asyncio.gather(*strangers, return_exceptions=True)
    )
    assert setup.issuer.asked == 1


async def test_a_cancelled_caller_does_not_cancel_the_fetch_of_others() -> None:
    setup, gate = set_up(OLD.jwk()), asyncio.Event()
    setup.issuer.hold = gate.wait
    first, second = (asyncio.create_task(setup.verifier.verify(OLD.token())) for _ in range(2))
    await idle()
    first.cancel()
    await idle()
    gate.set()
    assert (await second).user_id == "user-1"
    assert first.cancelled()
    assert setup.issuer.asked == 1


async def test_the_event_loop_is_not_blocked_by_a_fetch() -> None:
    setup, gate = set_up(OLD.jwk(), secret=SECRET), asyncio.Event()
    setup.issuer.hold = gate.wait
    waiting = asyncio.create_task(setup.verifier.verify(OLD.token()))
    await idle()
    assert (await setup.verifier.verify(secret_token())).user_id == "user-1"
    gate.set()
    await waiting


async def test_a_new_key_works_at_once_after_a_rotation() -> None:
    setup = set_up(OLD.jwk())
    await setup.verifier.verify(OLD.token())
    setup.issuer.keys = [NEW.jwk()]
    await setup.verifier.verify(NEW.token())
    assert setup.issuer.asked == 2
    with pytest.raises(InvalidTokenError):
        await setup.verifier.verify(OLD.token())


async def test_unknown_keys_do_not_delay_a_new_key_for_more_than_35_seconds() -> None:
    setup = set_up(OLD.jwk())
    with pytest.raises(InvalidTokenError):
        await setup.verifier.verify(stranger())
    setup.issuer.keys = [NEW.jwk()]
    for second in range(35):
        with pytest.raises(InvalidTokenError):
            await setup.verifier.verify(stranger(second))
        setup.pass_by(1)
    await setup.verifier.verify(NEW.token())


async def test_a_new_key_may_have_the_same_kid_or_none() -> None:
    replaced = Signer("EdDSA", "old", 1)
    setup = set_up(OLD.jwk())
    await setup.verifier.verify(OLD.token())
    setup.issuer.keys = [replaced.jwk()]
    await setup.verifier.verify(replaced.token())
    setup.pass_by(30)
    setup.issuer.keys = [OLD.jwk()]
    await setup.verifier.verify(OLD.token(headers={"kid": None}))


async def test_unknown_keys_cause_one_request_every_30_seconds() -> None:
    setup = set_up(OLD.jwk())
    await setup.verifier.verify(OLD.token())
    for second in range(90):
        for number in range(5):
            with pytest.raises(InvalidTokenError):
                await setup.verifier.verify(stranger(number))
        assert setup.issuer.asked == 2 + second // 30
        setup.pass_by(1)


async def unavailable(setup: Setup) -> None:
    with pytest.raises(VerifierUnavailableError):
        await setup.verifier.verify(OLD.token())


async def test_without_any_key_the_verifier_is_unavailable_and_recovers_in_2_seconds() -> None:
    setup = set_up(OLD.jwk())
    setup.issuer.break_down()
    for _ in range(20):
        await unavailable(setup)
    assert setup.issuer.asked == 1
    setup.issuer.recover()
    setup.pass_by(1.9)
    await unavailable(setup)
    assert setup.issuer.asked == 1
    setup.pass_by(0.1)
    assert (await setup.verifier.verify(OLD.token())).user_id == "user-1"
    assert setup.issuer.asked == 2


async def test_a_failed_refresh_keeps_the_keys_and_is_tried_again() -> None:
    setup = set_up(OLD.jwk())
    await setup.verifier.verify(OLD.token())
    setup.issuer.break_down()
    for number in range(20):
        with pytest.raises(InvalidTokenError):
            await setup.verifier.verify(stranger(number))
    assert setup.issuer.asked == 2
    await setup.verifier.verify(OLD.token({"sub": "user-2"}))
    setup.issuer.recover()
    setup.issuer.keys.append(NEW.jwk())
    setup.pass_by(2)
    await setup.verifier.verify(NEW.token())


async def test_an_unexpected_error_is_a_failed_fetch() -> None:
    setup = set_up(OLD.jwk())

    def burst() -> None:
        raise ZeroDivisionError

    setup.issuer.hold = burst
    await unavailable(setup)
    await unavailable(setup)
    assert setup.issuer.asked == 1
    setup.issuer.hold = None
    setup.pass_by(2)
    await setup.verifier.verify(OLD.token())


@pytest.mark.parametrize("known", [True, False], ids=["a token that is remembered", "a new token"])
async def test_keys_are_refreshed_in_the_background_after_10_minutes(*, known: bool) -> None:
    setup, gate = set_up(OLD.jwk()), asyncio.Event()
    token = OLD.token({"exp": 1_900_000_000})
    await setup.verifier.verify(token)
    setup.pass_by(599)
    await setup.verifier.verify(token)
    await idle()
    assert setup.issuer.asked == 1
    setup.pass_by(1)
    setup.issuer.hold = gate.wait
    setup.issuer.keys = [NEW.jwk()]
    used = token if known else OLD.token({"exp": 1_900_000_001})
    await asyncio.wait_for(setup.verifier.verify(used), 0.5)
    await setup.verifier.verify(used)
    gate.set()
    await idle()
    assert setup.issuer.asked == 2
    with pytest.raises(InvalidTokenError):
        await setup.verifier.verify(used)


async def test_a_failed_background_refresh_is_repeated_every_30_seconds() -> None:
    setup = set_up(OLD.jwk())
    token = OLD.token({"exp": 1_900_000_000})
    await setup.verifier.verify(token)
    setup.issuer.break_down()
    setup.pass_by(600)
    for second in range(60):
        await setup.verifier.verify(token)
        await idle()
        assert setup.issuer.asked == 2 + second // 30
        setup.pass_by(1)


async def test_an_empty_set_removes_all_keys_and_a_malformed_one_none() -> None:
    setup = set_up(OLD.jwk())
    await setup.verifier.verify(OLD.token())
    setup.issuer.response = lambda: response("{}")
    with pytest.raises(InvalidTokenError):
        await setup.verifier.verify(stranger())
    await setup.verifier.verify(OLD.token())
    setup.issuer.response = lambda: response('{"keys":[]}')
    setup.pass_by(2)
    with pytest.raises(InvalidTokenError):
        await setup.verifier.verify(stranger())
    with pytest.raises(InvalidTokenError):
        await setup.verifier.verify(OLD.token())


async def test_fetches_do_not_depend_on_the_time_of_day() -> None:
    setup = set_up(OLD.jwk())
    await setup.verifier.verify(OLD.token())
    setup.now.pass_by(-100_000)
    await setup.verifier.verify(OLD.token({"sub": "user-2"}))
    await idle()
    assert setup.issuer.asked == 1
    setup.clock.pass_by(600)
    await setup.verifier.verify(OLD.token({"sub": "user-3"}))
    await idle()
    assert setup.issuer.asked == 2


async def test_closing_cancels_a_fetch() -> None:
    setup = set_up(OLD.jwk())
    setup.issuer.hold = asyncio.Event().wait
    waiting = asyncio.create_task(setup.verifier.verify(OLD.token()))
    await idle()
    await asyncio.wait_for(setup.verifier.aclose(), 1)
    with pytest.raises(VerifierUnavailableError):
        await waiting


async def remembered(setup: Setup, token: str) -> Principal:
    """Verify a token twice; if the second principal is the same object, it was cached."""
    principal = await setup.verifier.verify(token)
    assert await setup.verifier.verify(token) is principal
    return principal


async def test_a_verified_token_is_cached_until_it_expires() -> None:
    setup, token = set_up(OLD.jwk()), OLD.token()
    await remembered(setup, token)
    setup.now.pass_by(929.5)
    await setup.verifier.verify(token)
    setup.now.pass_by(0.5)
    for _ in range(2):
        with pytest.raises(ExpiredTokenError):
            await setup.verifier.verify(token)
    setup.now.pass_by(-600)  # a wrong clock is corrected
    await remembered(setup, token)


async def test_a_refused_token_is_not_cached() -> None:
    setup = set_up(OLD.jwk())
    for _ in range(2):
        with pytest.raises(InvalidTokenError):
            await setup.verifier.verify(stranger())
    setup.issuer.keys.append(Signer("EdDSA", "unknown-0", 2).jwk())
    setup.pass_by(30)
    await setup.verifier.verify(stranger())


async def test_tokens_of_a_removed_key_are_dropped() -> None:
    setup = set_up(OLD.jwk(), NEW.jwk(), secret=SECRET)
    secret = await setup.verifier.verify(secret_token())
    kept = await remembered(setup, NEW.token())
    await remembered(setup, OLD.token())
    setup.issuer.keys = [NEW.jwk()]
    with pytest.raises(InvalidTokenError):
        await setup.verifier.verify(stranger())
    with pytest.raises(InvalidTokenError):
        await setup.verifier.verify(OLD.token())
    assert await setup.verifier.verify(NEW.token()) is kept
    assert await setup.verifier.verify(secret_token()) is secret
