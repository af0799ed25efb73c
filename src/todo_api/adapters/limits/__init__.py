"""Rate limits with the `limits` library, counted by each process, or in Redis by all of them together."""

from todo_api.adapters.limits.limiter import FixedWindowLimiter, InvalidRateError, RedisUrlError

__all__ = ["FixedWindowLimiter", "InvalidRateError", "RedisUrlError"]
