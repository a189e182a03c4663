"""Certificates: who they name, what they are for, that they survive a resume."""

import base64
import ipaddress
from pathlib import Path

import pytest
import yaml
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from minik8s.cluster import pki, state

NODES = {"node-1": "192.168.56.11", "node-2": "192.168.56.12"}


@pytest.fixture
def where(tmp_path: Path) -> state.Paths:
    paths = state.Paths(tmp_path / "c")
    paths.make()
    pki.ensure(paths, 6443, NODES)
    return paths


def client_certificate(path: Path) -> x509.Certificate:
    user = yaml.safe_load(path.read_text())["users"][0]["user"]
    return x509.load_pem_x509_certificate(base64.b64decode(user["client-certificate-data"]))


def who(certificate: x509.Certificate) -> tuple[str, list[str]]:
    names = certificate.subject
    return (
        str(names.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value),
        [str(each.value) for each in names.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)],
    )


@pytest.mark.parametrize(
    ("file", "user", "groups"),
    [
        ("kubeconfig", "kubernetes-admin", ["system:masters"]),
        ("kubeconfigs/scheduler.conf", "system:kube-scheduler", []),
        ("kubeconfigs/controllers.conf", "system:kube-controller-manager", []),
        ("kubeconfigs/agent-node-2.conf", "system:node:node-2", ["system:nodes"]),
        ("kubeconfigs/proxy-node-2.conf", "system:kube-proxy:node-2", ["system:node-proxier"]),
        ("kubeconfigs/dns-node-2.conf", "system:dns:node-2", ["system:node-dns"]),
    ],
)
def test_every_component_has_an_identity_of_its_own(
    where: state.Paths, file: str, user: str, groups: list[str]
) -> None:
    assert who(client_certificate(where.root / file)) == (user, groups)


def test_the_api_server_may_be_called_by_each_of_its_names(where: state.Paths) -> None:
    certificate = x509.load_pem_x509_certificate((where.pki / "apiserver.crt").read_bytes())
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert "kubernetes.default.svc.cluster.local" in names.get_values_for_type(x509.DNSName)
    addresses = names.get_values_for_type(x509.IPAddress)
    assert {ipaddress.ip_address(a) for a in ("127.0.0.1", "192.168.56.10", "10.96.0.1", "::1")} <= set(addresses)


def test_an_agents_server_certificate_names_its_node_and_cannot_be_shown_by_a_client(where: state.Paths) -> None:
    certificate = x509.load_pem_x509_certificate((where.pki / "node-1.crt").read_bytes())
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["node-1"]
    usage = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(usage) == [ExtendedKeyUsageOID.SERVER_AUTH]


def test_every_certificate_is_signed_by_the_clusters_authority_but_those_that_open_etcd(where: state.Paths) -> None:
    """Else whoever has a certificate of the cluster's, each component and user, could read the store."""
    cluster, etcd = (
        x509.load_pem_x509_certificate((where.pki / f"{name}.crt").read_bytes()) for name in ("ca", "etcd-ca")
    )
    for file in where.pki.glob("*.crt"):
        certificate = x509.load_pem_x509_certificate(file.read_bytes())
        ours, other = (etcd, cluster) if "etcd" in file.name else (cluster, etcd)
        certificate.verify_directly_issued_by(ours)
        with pytest.raises((ValueError, InvalidSignature)):
            certificate.verify_directly_issued_by(other)


def test_only_root_reads_the_keys(where: state.Paths) -> None:
    keys = [*where.pki.glob("*.key"), *where.kubeconfigs.iterdir(), where.kubeconfig]
    assert {"sa.key", "ca.key", "etcd-ca.key"} <= {key.name for key in keys}
    assert {key.stat().st_mode & 0o077 for key in keys} == {0}


def test_a_resumed_cluster_keeps_its_identities(where: state.Paths) -> None:
    before = {file: file.read_bytes() for file in where.root.rglob("*") if file.is_file()}
    pki.ensure(where, 6443, NODES)
    assert {file: file.read_bytes() for file in where.root.rglob("*") if file.is_file()} == before


def test_another_port_renews_the_admins_kubeconfig_only(where: state.Paths) -> None:
    before = (where.kubeconfigs / "scheduler.conf").read_bytes()
    pki.ensure(where, 6450, NODES)
    config = yaml.safe_load(where.kubeconfig.read_text())
    assert config["clusters"][0]["cluster"]["server"] == "https://127.0.0.1:6450"
    assert (where.kubeconfigs / "scheduler.conf").read_bytes() == before


def test_keys_can_be_read_by_root_only(where: state.Paths) -> None:
    secret = [*where.pki.glob("*.key"), *where.kubeconfigs.iterdir(), where.kubeconfig]
    assert {file.stat().st_mode & 0o077 for file in secret} == {0}
