"""Who is who: the cluster's own certificate authority, and a certificate for every component.

A certificate's common name is the user, its organisations are the groups; the API server reads both from the TLS
handshake. So that each component may do only its own work, each has an identity of its own. Keys are elliptic (P-256):
made in a millisecond.
Invariant: what exists and still fits is kept, so a resumed cluster keeps its identities; a missing file is made again.

Read next: `apiserver/`, where names and groups become permissions.
"""

import base64
import datetime
import ipaddress
import json
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from minik8s import params
from minik8s.cluster import state
from minik8s.host import clock

CA_NAME, ETCD_CA_NAME = "minik8s-ca", "minik8s-etcd-ca"
SERVER_NAMES = (
    "localhost",
    "kubernetes",
    "kubernetes.default",
    "kubernetes.default.svc",
    f"kubernetes.default.svc.{params.CLUSTER_DOMAIN}",
)
SERVER_ADDRESSES = ("127.0.0.1", "::1", params.CONTROL_PLANE_ADDRESS, params.KUBERNETES_SERVICE_IP)
CLOCK_SKEW = datetime.timedelta(hours=1)  # a virtual machine whose clock is a little behind accepts them too


@dataclass(frozen=True)
class Identity:
    """A user and its groups, as the API server will see them."""

    user: str
    groups: tuple[str, ...] = ()


@dataclass(frozen=True)
class Authority:
    """The key that signs, and its certificate."""

    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate
    pem: bytes


ADMIN = Identity("kubernetes-admin", ("system:masters",))
CONTROL_PLANE = {
    "scheduler": Identity("system:kube-scheduler"),
    "controllers": Identity("system:kube-controller-manager"),
}


def node_identities(node: str) -> dict[str, Identity]:
    """The components of one node, by the name of their kubeconfig."""
    return {
        f"agent-{node}": Identity(f"system:node:{node}", ("system:nodes",)),
        f"proxy-{node}": Identity(f"system:kube-proxy:{node}", ("system:node-proxier",)),
        f"dns-{node}": Identity(f"system:dns:{node}", ("system:node-dns",)),
    }


def ensure(where: state.Paths, port: int, nodes: dict[str, str], *, ingress: bool = False) -> None:
    """All certificates and kubeconfigs of a cluster. `nodes`: name → address; `ingress`: do nodes serve Ingresses?"""
    authority = ensure_authority(where)
    _ensure_pair(authority, where.pki / "apiserver", Identity("kube-apiserver"), (*SERVER_NAMES, *SERVER_ADDRESSES))
    _ensure_pair(
        authority,
        where.pki / "apiserver-kubelet-client",
        Identity("kube-apiserver-kubelet-client", ("system:masters",)),
    )
    ensure_signer(where)
    ensure_etcd(where)
    _ensure_kubeconfig(authority, where.kubeconfig, ADMIN, (where.name, f"https://127.0.0.1:{port}"))
    inside = (where.name, f"https://{params.CONTROL_PLANE_ADDRESS}:{params.API_PORT}")
    for name, identity in CONTROL_PLANE.items():
        _ensure_kubeconfig(authority, where.kubeconfigs / f"{name}.conf", identity, inside)
    for node, address in nodes.items():
        ensure_node(authority, where, node, address)
        if ingress:
            identity = Identity(f"system:ingress:{node}", ("system:node-ingress",))
            _ensure_kubeconfig(authority, where.kubeconfigs / f"ingress-{node}.conf", identity, inside)


def ensure_etcd(where: state.Paths) -> None:
    """etcd's own authority, and two pairs: etcd's, and that of its one client.

    Not the cluster's authority: whom that one vouches for (every component, every user) could else open the store.
    """
    authority = ensure_authority(where, "etcd-ca", ETCD_CA_NAME)
    # A member shows the same to clients and to other members, whose client it is.
    _ensure_pair(authority, where.pki / "etcd", Identity("minik8s-etcd"), ("127.0.0.1", "localhost"), both=True)
    _ensure_pair(authority, where.pki / "apiserver-etcd-client", Identity("kube-apiserver-etcd-client"))


def ensure_authority(where: state.Paths, stem: str = "ca", name: str = CA_NAME) -> Authority:
    """A certificate authority, read or made: without a name, the cluster's."""
    key_file, file = where.pki / f"{stem}.key", where.pki / f"{stem}.crt"
    if not (file.exists() and key_file.exists()):
        key = ec.generate_private_key(ec.SECP256R1())
        state.replace(key_file, _key_pem(key).decode())
        state.replace(file, _pem(_self_signed(key, name)).decode(), 0o644)
    pem = file.read_bytes()
    key = _load_key(key_file.read_bytes())
    return Authority(key, x509.load_pem_x509_certificate(pem), pem)


def ensure_signer(where: state.Paths) -> Path:
    """The key that signs tokens of ServiceAccounts, under kubeadm's name. Nobody but the API server needs it."""
    key_file = where.pki / "sa.key"
    if not key_file.exists():
        state.replace(key_file, _key_pem(ec.generate_private_key(ec.SECP256R1())).decode())
    return key_file


def ensure_node(authority: Authority, where: state.Paths, node: str, address: str) -> None:
    """What one node's components show: the agent's server certificate, and a kubeconfig for each."""
    _ensure_pair(authority, where.pki / node, Identity(f"system:node:{node}", ("system:nodes",)), (node, address))
    inside = (where.name, f"https://{params.CONTROL_PLANE_ADDRESS}:{params.API_PORT}")
    for name, identity in node_identities(node).items():
        _ensure_kubeconfig(authority, where.kubeconfigs / f"{name}.conf", identity, inside)


def issue(
    authority: Authority, identity: Identity, names: tuple[str, ...] = (), *, both: bool = False
) -> tuple[bytes, bytes]:
    """A new (certificate, key), both PEM. With `names` it serves, else it is a client's; or it is for `both`."""
    key = ec.generate_private_key(ec.SECP256R1())
    builder = _builder(_name(identity), authority.certificate.subject, key, params.CERTIFICATE_DAYS)
    serves, asks = ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH
    usage = [serves, asks] if both else [serves] if names else [asks]
    builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    builder = builder.add_extension(x509.ExtendedKeyUsage(usage), critical=False)
    signer = x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.key.public_key())
    builder = builder.add_extension(signer, critical=False)
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName([_alternative(n) for n in names]), critical=False)
    return _pem(builder.sign(authority.key, hashes.SHA256())), _key_pem(key)


def kubeconfig(cluster: str, server: str, user: str, secrets: tuple[bytes, bytes, bytes]) -> str:
    """The file as kubectl has it, everything inside. `secrets`: authority, certificate, key.

    In JSON, which is YAML too: a component reads it in a moment and without loading a YAML parser.
    """
    authority, certificate, key = (base64.b64encode(secret).decode() for secret in secrets)
    where = {"server": server, "certificate-authority-data": authority}
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": cluster,
        "clusters": [{"name": cluster, "cluster": where}],
        "contexts": [{"name": cluster, "context": {"cluster": cluster, "user": user}}],
        "users": [{"name": user, "user": {"client-certificate-data": certificate, "client-key-data": key}}],
    }
    return json.dumps(config, indent=2) + "\n"


def _ensure_pair(
    authority: Authority, stem: Path, identity: Identity, names: tuple[str, ...] = (), *, both: bool = False
) -> None:
    certificate, key = stem.with_name(f"{stem.name}.crt"), stem.with_name(f"{stem.name}.key")
    if certificate.exists() and key.exists():
        return
    pems = issue(authority, identity, names, both=both)
    state.replace(key, pems[1].decode())
    state.replace(certificate, pems[0].decode(), 0o644)


def _ensure_kubeconfig(authority: Authority, path: Path, identity: Identity, at: tuple[str, str]) -> None:
    """`at`: the cluster's name and its server's address. A file that names another server is written anew."""
    cluster, server = at
    if path.exists() and f'"server": "{server}"' in path.read_text():
        return
    certificate, key = issue(authority, identity)
    state.replace(path, kubeconfig(cluster, server, identity.user, (authority.pem, certificate, key)))


def _self_signed(key: ec.EllipticCurvePrivateKey, common: str) -> x509.Certificate:
    name = _name(Identity(common))
    builder = _builder(name, name, key, params.AUTHORITY_DAYS)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    usage = dict.fromkeys(
        (
            "content_commitment",
            "key_encipherment",
            "data_encipherment",
            "key_agreement",
            "encipher_only",
            "decipher_only",
        ),
        False,
    )
    signs = x509.KeyUsage(digital_signature=True, key_cert_sign=True, crl_sign=True, **usage)
    builder = builder.add_extension(signs, critical=True)
    builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    return builder.sign(key, hashes.SHA256())


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, days: int
) -> x509.CertificateBuilder:
    now = datetime.datetime.fromtimestamp(clock.wall(), datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - CLOCK_SKEW)
        .not_valid_after(now + datetime.timedelta(days=days))
    )


def _name(identity: Identity) -> x509.Name:
    groups = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, group) for group in identity.groups]
    return x509.Name([*groups, x509.NameAttribute(NameOID.COMMON_NAME, identity.user)])


def _alternative(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _load_key(pem: bytes) -> ec.EllipticCurvePrivateKey:
    key = serialization.load_pem_private_key(pem, None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise TypeError("the authority's key is not an elliptic one")
    return key


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
