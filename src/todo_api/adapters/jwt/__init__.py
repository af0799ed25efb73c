"""Driven adapter: verifies Better Auth's tokens with PyJWT, by a shared secret, by published keys, or by both.

The composition root needs `JwtConfig` and `JwtTokenVerifier`, and nothing else from here.
"""

from todo_api.adapters.jwt.config import JwtConfig
from todo_api.adapters.jwt.verifier import JwtTokenVerifier

__all__ = ["JwtConfig", "JwtTokenVerifier"]
