"""Limits on how often somebody may call, counted by the `limits` library: in this process, or in Redis for all."""

from todo_api.adapters.limits.limiter import FixedWindowLimiter, InvalidRateError, RedisUrlError

__all__ = ["FixedWindowLimiter", "InvalidRateError", "RedisUrlError"]
