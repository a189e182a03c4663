"""A Secret to the certificate and key that are served, and which host gets which. Pure.

Only a pair that belongs together and that today's clients accept is handed on: one that HAProxy refused would keep
everybody's changes from taking effect. Invariant: a host whose Secret is missing or bad is still served, with the
self-signed certificate that answers for whatever has no other.
"""

import base64
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from minik8s.api.core import Secret
from minik8s.api.networking import Ingress
from minik8s.ingress.rules import EVERY, Trouble, by_age, is_host

CERTIFICATE, KEY = "tls.crt", "tls.key"
TYPE = "kubernetes.io/tls"
MINIMUM_RSA_BITS = 2048  # OpenSSL's security level 2, which Debian and Ubuntu ask for


class BadSecret(Exception):
    """It holds no certificate that can be served; the message says why, without showing anything of it."""


@dataclass(frozen=True)
class Certificates:
    """By host, as PEM: certificate, chain, key. `EVERY` is for whoever names no host that is known."""

    by_host: dict[str, str] = field(default_factory=dict)
    troubles: tuple[Trouble, ...] = ()


def collect(ingresses: Sequence[Ingress], secret_of: Callable[[str], Secret | None]) -> Certificates:
    """The certificates of all these Ingresses; the older Ingress has a host that two name."""
    by_host: dict[str, str] = {}
    owner: dict[str, tuple[str, str]] = {}
    troubles: list[Trouble] = []
    for ingress in by_age(ingresses):
        namespace = ingress.metadata.namespace
        for tls in ingress.spec.tls:
            name = f"{namespace}/{tls.secretName}"
            try:
                text = pem(secret_of(name))
            except BadSecret as error:
                message = f"Secret {name}: {error}; its hosts are served with a self-signed certificate"
                troubles.append(Trouble(ingress, "BadCertificate", message))
                continue
            for host in filter(is_host, tls.hosts or [rule.host or EVERY for rule in ingress.spec.rules] or [EVERY]):
                first = owner.setdefault(host, (namespace, name))
                if first[1] != name:
                    message = f"the certificate for {host} is that of Secret {first[1]}, which came first"
                    troubles.append(Trouble(ingress, "Conflict", message))
                    continue
                by_host[host] = text
    return Certificates(by_host, tuple(troubles))


def pem(secret: Secret | None) -> str:
    """What HAProxy reads: certificate, chain and key in one text. Raises BadSecret."""
    if secret is None:
        raise BadSecret(f"there is none of type {TYPE}")
    try:
        chain = x509.load_pem_x509_certificates(base64.b64decode(secret.data.get(CERTIFICATE, "")))
        key = serialization.load_pem_private_key(base64.b64decode(secret.data.get(KEY, "")), None)
    except (ValueError, TypeError) as error:  # not shown: the error may quote what is secret
        raise BadSecret(f"{CERTIFICATE} and {KEY} are no certificate and private key in PEM") from error
    if isinstance(key, rsa.RSAPrivateKey):
        if key.key_size < MINIMUM_RSA_BITS:
            raise BadSecret(f"its RSA key has only {key.key_size} bits; {MINIMUM_RSA_BITS} are the least")
    elif not isinstance(key, ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey):
        raise BadSecret("its key is neither RSA nor ECDSA nor Ed25519")
    if chain[0].public_key() != key.public_key():
        raise BadSecret(f"{KEY} is not the key of the certificate in {CERTIFICATE}")
    # Written anew, so that nothing gets through but what was understood.
    certificates = "".join(each.public_bytes(serialization.Encoding.PEM).decode() for each in chain)
    form = serialization.PrivateFormat.PKCS8
    return certificates + key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()).decode()
