"""Which certificate a host gets, what is wrong with a Secret, and that it is not shown."""

import datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from support.ingressbed import secrets
from support.ingresscases import ingress

from minik8s.ingress.certificates import collect

NOW = datetime.datetime(2026, 1, 1)


def pair(name, key=None):
    key = key or ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    builder = x509.CertificateBuilder(subject, subject, key.public_key(), 1, NOW, NOW + datetime.timedelta(days=1))
    form = serialization.PrivateFormat.PKCS8
    encoding = serialization.Encoding.PEM
    text = key.private_bytes(encoding, form, serialization.NoEncryption()).decode()
    return builder.sign(key, hashes.SHA256()).public_bytes(encoding).decode(), text


A, B = pair("a"), pair("b")


def tls(*hosts, secret="a"):
    return {"tls": [{"hosts": list(hosts), "secretName": secret}]}


def test_a_host_gets_certificate_and_key_of_its_secret():
    found = collect([ingress("i", **tls("a.test", "*.b.test"))], secrets(a=A)["secrets"])
    assert found.by_host == {"a.test": "".join(A), "*.b.test": "".join(A)} and not found.troubles


def test_without_hosts_the_certificate_is_for_those_of_the_rules():
    found = collect([ingress("i", "a.test Prefix / web", **tls())], secrets(a=A)["secrets"])
    assert found.by_host.keys() == {"a.test"}
    assert collect([ingress("i", default="web", **tls())], secrets(a=A)["secrets"]).by_host.keys() == {"*"}


def test_the_older_ingress_has_the_host_that_two_name():
    some = [ingress("young", born=2, **tls("a.test", secret="b")), ingress("old", born=1, **tls("a.test"))]
    found = collect(some, secrets(a=A, b=B)["secrets"])
    assert found.by_host == {"a.test": "".join(A)}
    assert [(each.about.metadata.name, each.reason) for each in found.troubles] == [("young", "Conflict")]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "there is none of type kubernetes.io/tls"),
        ({"a": ("", "")}, "tls.crt and tls.key are no certificate and private key in PEM"),
        ({"a": (A[0], "x")}, "tls.crt and tls.key are no certificate and private key in PEM"),
        ({"a": (A[0], B[1])}, "tls.key is not the key of the certificate in tls.crt"),
        ({"a": pair("a", rsa.generate_private_key(65537, 1024))}, "its RSA key has only 1024 bits; 2048 are the least"),
    ],
)
def test_a_bad_secret_is_said_without_showing_it(given, said):
    found = collect([ingress("i", **tls("a.test"))], secrets(**given)["secrets"])
    (trouble,) = found.troubles
    assert trouble.reason == "BadCertificate" and found.by_host == {}
    assert trouble.message == f"Secret default/a: {said}; its hosts are served with a self-signed certificate"


def test_what_stands_beside_a_certificate_is_not_handed_on():
    found = collect([ingress("i", **tls("a.test"))], secrets(a=(f"global\n{A[0]}evil", A[1]))["secrets"])
    assert found.by_host == {"a.test": "".join(A)}
