"""The keys that verify signatures, each bound to the algorithms that it may serve."""

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt import PyJWK, PyJWS, PyJWTError

logger = logging.getLogger(__name__)

SECRET_ALGORITHM = "HS256"  # noqa: S105 - the name of an algorithm
MOST_KEYS = 64

_SHORTEST_RSA, _LONGEST_RSA = 2048, 8192  # RFC 7518, section 3.3; the time that a signature takes grows with the key

# RFC 7518, section 3.1, and RFC 8037, section 3.1: what a kind of key, by `kty` and `crv`, can do. A curve says nothing
# about an RSA key, although Better Auth publishes RSA keys with one.
_ALGORITHMS = {
    ("OKP", "Ed25519"): frozenset({"EdDSA"}),
    ("EC", "P-256"): frozenset({"ES256"}),
    ("EC", "P-521"): frozenset({"ES512"}),
    ("RSA", None): frozenset({"RS256", "PS256"}),
}
PUBLIC_KEY_ALGORITHMS = frozenset().union(*_ALGORITHMS.values())

# RFC 7518, section 6: members of private and of symmetric keys. Whatever is published with one is anybody's.
_SECRET_MEMBERS = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})

_JWS = PyJWS(algorithms=[SECRET_ALGORITHM, *PUBLIC_KEY_ALGORITHMS])

PublicKey = Ed25519PublicKey | EllipticCurvePublicKey | RSAPublicKey


@dataclass(frozen=True, slots=True)
class VerificationKey:
    """A key; equal to another one that is published in the same way.

    Attributes:
        key_id: The `kid` that tokens name it by, if any.
        algorithms: What it may be used with (RFC 8725, section 3.1).
        fingerprint: A hash of the key.
        material: The key.
    """

    key_id: str | None
    algorithms: frozenset[str]
    fingerprint: bytes = field(repr=False)
    material: PublicKey | bytes = field(repr=False, compare=False)

    def signed(self, token: str) -> bool:
        """Return whether the token's signature is this key's, made with one of its algorithms."""
        try:
            _JWS.decode_complete(
                token,
                self.material,
                algorithms=sorted(self.algorithms),
                options={"verify_signature": True, "enforce_minimum_key_length": True},
            )
        except PyJWTError:
            return False
        return True


class UnusableKeyError(Exception):
    """A published key cannot or must not be used; the message says why."""


def secret_key(secret: str) -> VerificationKey:
    """Return the key that a shared secret is, or raise ValueError if it is a public key rather than a secret."""
    material = secret.encode()
    try:
        _JWS.get_algorithm_by_name(SECRET_ALGORITHM).prepare_key(material)
    except PyJWTError as error:
        raise ValueError("the secret has the form of a key that is published") from error
    return VerificationKey(None, frozenset({SECRET_ALGORITHM}), sha256(material).digest(), material)


def read_key_set(document: Any) -> tuple[VerificationKey, ...]:
    """Return the usable keys of a JWK set (RFC 7517, section 5), at most 64; the others are skipped and logged.

    Raises:
        ValueError: The document is no JWK set.
    """
    members = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(members, list):
        raise ValueError("there is no JWK set")  # noqa: TRY004 - the type of a document's part, not of an argument
    return tuple(_usable(members[:MOST_KEYS]))


def _usable(members: list[Any]) -> Iterator[VerificationKey]:
    for position, member in enumerate(members):
        try:
            yield read_key(member)
        except UnusableKeyError as error:
            logger.warning("key %d of the JWK set is skipped: %s", position, error)


def read_key(jwk: Any) -> VerificationKey:
    """Return the key that a JWK describes (RFC 7517, section 4), or raise UnusableKeyError."""
    if not isinstance(jwk, dict):
        raise UnusableKeyError("it is no object")
    if not _SECRET_MEMBERS.isdisjoint(jwk):
        raise UnusableKeyError("it is no public key, and whoever reads the set could sign with it")
    _check_use(jwk)
    key_id = jwk.get("kid")
    if not (key_id is None or isinstance(key_id, str)):
        raise UnusableKeyError("its kid is no string")
    algorithms = _algorithms(jwk)
    material = _material(jwk, min(algorithms))
    der = material.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return VerificationKey(key_id, algorithms, sha256(der).digest(), material)


def _check_use(jwk: Mapping[str, Any]) -> None:
    # RFC 7517, sections 4.2 and 4.3: both are optional.
    if jwk.get("use") not in (None, "sig"):
        raise UnusableKeyError("it is not for signatures")
    operations = jwk.get("key_ops")
    if operations is not None and not (isinstance(operations, list) and "verify" in operations):
        raise UnusableKeyError("it is not for verifying")


def _algorithms(jwk: Mapping[str, Any]) -> frozenset[str]:
    kind = jwk.get("kty")
    curve = jwk.get("crv") if kind in ("OKP", "EC") else None
    known = isinstance(kind, str) and (curve is None or isinstance(curve, str))
    possible = _ALGORITHMS.get((str(kind), curve)) if known else None
    if possible is None:
        raise UnusableKeyError("its kind is not supported")
    named = jwk.get("alg")
    if named is None:
        return possible
    if not isinstance(named, str) or named not in possible:
        raise UnusableKeyError("its alg is not supported, or not for its kind of key")
    return frozenset({named})


def _material(jwk: Mapping[str, Any], algorithm: str) -> PublicKey:
    try:
        material = PyJWK(dict(jwk), algorithm).key
    except (PyJWTError, UnsupportedAlgorithm) as error:  # the latter: a hardened OpenSSL may lack an algorithm
        raise UnusableKeyError("it is malformed") from error
    if not isinstance(material, Ed25519PublicKey | EllipticCurvePublicKey | RSAPublicKey):
        raise UnusableKeyError("it is no public key")
    if isinstance(material, RSAPublicKey) and not _SHORTEST_RSA <= material.key_size <= _LONGEST_RSA:
        raise UnusableKeyError(f"an RSA key of {material.key_size} bits is not accepted")
    return material
