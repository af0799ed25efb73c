"""The keys that verify signatures, each with the algorithms that it may be used with."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from jwt import PyJWK, PyJWTError
from jwt.algorithms import HMACAlgorithm

logger = logging.getLogger(__name__)

SECRET_ALGORITHM = "HS256"  # noqa: S105 - the name of an algorithm
PUBLIC_KEY_ALGORITHMS = frozenset({"EdDSA", "ES256", "ES512", "RS256", "PS256"})
MAX_KEYS = 64

_MIN_RSA_BITS, _MAX_RSA_BITS = 2048, 8192  # RFC 7518, section 3.3; verification is slow with large keys

# RFC 7518, section 6: members of private and of symmetric keys.
_SECRET_MEMBERS = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})

PublicKey = Ed25519PublicKey | EllipticCurvePublicKey | RSAPublicKey


@dataclass(frozen=True, slots=True)
class VerificationKey:
    """A key. Two keys are equal if their published forms are equal.

    Attributes:
        key_id: The `kid`, if any.
        algorithms: The algorithms that it may be used with (RFC 8725, section 3.1).
        material: The key.
    """

    key_id: str | None
    algorithms: frozenset[str]
    material: PublicKey | bytes = field(repr=False)


class UnusableKeyError(Exception):
    """A published key cannot or must not be used; the message says why."""


def secret_key(secret: str) -> VerificationKey:
    """Return the key of a shared secret.

    Raises:
        ValueError: The secret has the form of a public key.
    """
    material = secret.encode()
    try:
        HMACAlgorithm(HMACAlgorithm.SHA256).prepare_key(material)
    except PyJWTError as error:
        raise ValueError("the secret has the form of a key that is published") from error
    return VerificationKey(None, frozenset({SECRET_ALGORITHM}), material)


def read_key_set(document: Any) -> tuple[VerificationKey, ...]:
    """Return the usable keys among the first 64 of a JWK set (RFC 7517, section 5); the others are logged.

    `PyJWKSet` accepts private keys and keys for encryption, and skips unusable keys without logging them.

    Raises:
        ValueError: The document is not a JWK set.
    """
    members = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(members, list):
        raise ValueError("this is no JWK set")  # noqa: TRY004 - the type of a document's part, not of an argument
    usable: list[VerificationKey] = []
    for position, member in enumerate(members[:MAX_KEYS]):
        try:
            usable.append(read_key(member))
        except UnusableKeyError as error:
            logger.warning("key %d of the JWK set is skipped: %s", position, error)
    return tuple(usable)


def read_key(jwk: Any) -> VerificationKey:
    """Return the key of a JWK (RFC 7517, section 4).

    Raises:
        UnusableKeyError: The key is malformed, private, symmetric, weak or not for signatures.
    """
    if not isinstance(jwk, dict):
        raise UnusableKeyError("it is not an object")
    if not _SECRET_MEMBERS.isdisjoint(jwk):
        raise UnusableKeyError("it is no public key, and every reader of the set could sign with it")
    _check_use(jwk)
    key_id = jwk.get("kid")
    if not (key_id is None or isinstance(key_id, str)):
        raise UnusableKeyError("its kid is not a string")
    key = _parse(jwk)
    return VerificationKey(key_id, _algorithms(key, jwk.get("alg")), _public_key(key))


def _check_use(jwk: Mapping[str, Any]) -> None:
    # RFC 7517, sections 4.2 and 4.3: both are optional.
    if jwk.get("use") not in (None, "sig"):
        raise UnusableKeyError("it is not for signatures")
    operations = jwk.get("key_ops")
    if operations is not None and not (isinstance(operations, list) and "verify" in operations):
        raise UnusableKeyError("it is not for verifying")


def _parse(jwk: Mapping[str, Any]) -> PyJWK:
    # Without `alg`: PyJWT finds the algorithm by kind and curve, and would accept an `alg` that does not fit the curve.
    try:
        return PyJWK({name: value for name, value in jwk.items() if name != "alg"})
    except (PyJWTError, UnsupportedAlgorithm) as error:  # the latter: OpenSSL can be built without an algorithm
        raise UnusableKeyError("it is malformed, or of a kind that is not supported") from error


def _algorithms(key: PyJWK, named: object) -> frozenset[str]:
    possible = ("RS256", "PS256") if key.algorithm_name == "RS256" else (key.algorithm_name,)
    if not PUBLIC_KEY_ALGORITHMS.issuperset(possible):
        raise UnusableKeyError("its kind is not supported")
    if named is None:
        return frozenset(possible)
    if named not in possible:
        raise UnusableKeyError("its alg is not supported, or not for its kind of key")
    return frozenset({str(named)})


def _public_key(key: PyJWK) -> PublicKey:
    material: PublicKey = key.key
    if isinstance(material, RSAPublicKey) and not _MIN_RSA_BITS <= material.key_size <= _MAX_RSA_BITS:
        raise UnusableKeyError(f"an RSA key of {material.key_size} bits is not accepted")
    return material
