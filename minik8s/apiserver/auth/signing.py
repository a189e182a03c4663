"""JSON Web Tokens, signed and read: RFC 7519 with ES256 (RFC 7518), the one algorithm that is used here.

The key is an elliptic one (P-256) like all of the cluster's keys: a signature takes 30 microseconds and 64 bytes. It
is written by hand, since `cryptography` is here anyway and one algorithm is all there is to it; what makes tokens
unsafe elsewhere is that the token chooses how it is checked. Invariant: what a token says counts only if its
signature is that of our own key; the header's `alg` must be ours and its `kid` that of our key.

No clock and no store: whether it has expired and who it speaks of is asked in `tokens.py`. Read that next.
"""

import base64
import binascii
import hashlib
from pathlib import Path
from typing import Any

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

ALGORITHM = "ES256"
HALF = 32  # bytes of each of the two numbers that make a signature or a public key
MAX_TOKEN = 8 * 1024  # bytes; ours have 800


class BadToken(Exception):
    """A token that is none of ours, or that says what it should not; the message is for the log, not for the client."""


class Keys:
    """The key that signs this cluster's tokens."""

    def __init__(self, private: ec.EllipticCurvePrivateKey) -> None:
        self._private, self._public = private, private.public_key()
        form = serialization.PublicFormat.SubjectPublicKeyInfo
        der = self._public.public_bytes(serialization.Encoding.DER, form)
        self.id = encode(hashlib.sha256(der).digest())
        self._header = encode(msgspec.json.encode({"alg": ALGORITHM, "kid": self.id}))

    @classmethod
    def load(cls, path: str | Path) -> "Keys":
        """The key of a PEM file. Raises ValueError for one that is not an elliptic key on P-256."""
        key = serialization.load_pem_private_key(Path(path).read_bytes(), None)
        if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
            raise ValueError(f"{path}: a key for signing tokens must be an elliptic one on the curve P-256")
        return cls(key)

    def sign(self, claims: dict[str, Any]) -> str:
        signed = f"{self._header}.{encode(msgspec.json.encode(claims))}"
        r, s = decode_dss_signature(self._private.sign(signed.encode(), ec.ECDSA(hashes.SHA256())))
        return f"{signed}.{encode(r.to_bytes(HALF, 'big') + s.to_bytes(HALF, 'big'))}"

    def read(self, token: str) -> dict[str, Any]:
        """What a token of ours says. Raises BadToken."""
        parts = token.split(".")
        if len(parts) != 3 or len(token) > MAX_TOKEN:
            raise BadToken("it is not a signed token")
        header, signature = _object(parts[0]), decode(parts[2])
        if header.get("alg") != ALGORITHM or header.get("kid") != self.id or len(signature) != 2 * HALF:
            raise BadToken("it was not signed by a key of this cluster")
        numbers = (int.from_bytes(signature[:HALF], "big"), int.from_bytes(signature[HALF:], "big"))
        try:
            signed = f"{parts[0]}.{parts[1]}".encode()
            self._public.verify(encode_dss_signature(*numbers), signed, ec.ECDSA(hashes.SHA256()))
        except InvalidSignature:
            raise BadToken("its signature is not that of its content") from None
        return _object(parts[1])

    def public(self) -> dict[str, Any]:
        """The key by which anybody can check a token (RFC 7517): a set of one."""
        point = self._public.public_numbers()
        x, y = (encode(number.to_bytes(HALF, "big")) for number in (point.x, point.y))
        return {"keys": [{"use": "sig", "kty": "EC", "kid": self.id, "crv": "P-256", "alg": ALGORITHM, "x": x, "y": y}]}


def encode(data: bytes) -> str:
    """base64url without padding, as tokens have it."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decode(text: str) -> bytes:
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise BadToken("a part of it is not base64url") from None


def _object(text: str) -> dict[str, Any]:
    try:
        found = msgspec.json.decode(decode(text))
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        raise BadToken("a part of it is not JSON") from None
    if not isinstance(found, dict):
        raise BadToken("a part of it is not an object")
    return found
