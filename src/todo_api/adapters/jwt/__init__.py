"""Verify Better Auth's tokens with PyJWT, by a shared secret, by published keys, or by both.

docs/decisions/jwt-more-than-pyjwkclient.md explains why PyJWT's client for JWK sets is not enough.
"""

from todo_api.adapters.jwt.verifier import JwtConfig, JwtTokenVerifier

__all__ = ["JwtConfig", "JwtTokenVerifier"]
