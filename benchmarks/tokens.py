"""Tokens as Better Auth signs them by default: EdDSA, with the public key in a JWK set that the service fetches."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import OKPAlgorithm

_KEY = Ed25519PrivateKey.generate()
_KEY_ID = "benchmark"
_LIFETIME = 86_400  # seconds
_PORT = 8930

ISSUER = f"http://127.0.0.1:{_PORT}"  # for BETTER_AUTH_URL

PUBLIC_KEY = _KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def sign(user: str) -> str:
    """Return a token for the user."""
    now = int(time.time())
    claims = {"sub": user, "iss": ISSUER, "aud": ISSUER, "iat": now, "exp": now + _LIFETIME}
    return jwt.encode(claims, _KEY, algorithm="EdDSA", headers={"kid": _KEY_ID})


@contextmanager
def published_keys() -> Iterator[None]:
    """Serve the JWK set at ISSUER for the duration of the block."""
    server = ThreadingHTTPServer(("127.0.0.1", _PORT), _JwksHandler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()


class _JwksHandler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        key = OKPAlgorithm.to_jwk(_KEY.public_key(), as_dict=True)
        content = json.dumps({"keys": [{**key, "kid": _KEY_ID, "alg": "EdDSA", "use": "sig"}]}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Print nothing."""
