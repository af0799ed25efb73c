"""Verifies Better Auth's tokens with PyJWT, by a shared secret, by published keys, or by both.

docs/decisions/jwt-more-than-pyjwkclient.md says why it is more than PyJWT's client for JWK sets.
"""

from todo_api.adapters.jwt.verifier import JwtConfig, JwtTokenVerifier

__all__ = ["JwtConfig", "JwtTokenVerifier"]
