"""A real kube-apiserver beside ours, on an etcd of its own, with the same certificates, RBAC and an audit log.

None comes with the project: `$MINIK8S_KUBE_APISERVER` says where one is.
"""

import os
import subprocess
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from support.apiserver import Certificates, Etcd, Http, free_port, wait_until

PROGRAM = os.environ.get("MINIK8S_KUBE_APISERVER", "")
PATIENCE_S = 60
# As ours does: who wrote what, and nothing of those who only read.
POLICY = """
apiVersion: audit.k8s.io/v1
kind: Policy
rules:
- {level: None, verbs: [get, list, watch]}
- {level: Metadata}
"""


class Upstream:
    """One kube-apiserver. It looks like a `support.apiserver.Server`, so that the same clients can ask it."""

    def __init__(self, folder: Path) -> None:
        self.certificates = Certificates(folder)
        self.port = free_port()
        self.url = f"https://127.0.0.1:{self.port}"
        self._etcd = Etcd(folder)
        signer = folder / "signer.key"
        kind = serialization.PrivateFormat.TraditionalOpenSSL  # the form that old ones read too
        key = ec.generate_private_key(ec.SECP256R1())
        signer.write_bytes(key.private_bytes(serialization.Encoding.PEM, kind, serialization.NoEncryption()))
        (folder / "policy.yaml").write_text(POLICY)
        options = {
            "etcd-servers": f"https://{self._etcd.endpoint}",
            "etcd-cafile": self._etcd.tls.authority,
            "etcd-certfile": self._etcd.tls.certificate,
            "etcd-keyfile": self._etcd.tls.key,
            "bind-address": "127.0.0.1",
            "secure-port": self.port,
            "tls-cert-file": self.certificates.server[0],
            "tls-private-key-file": self.certificates.server[1],
            "client-ca-file": self.certificates.ca,
            "service-account-issuer": "https://kubernetes.default.svc",
            "service-account-key-file": signer,
            "service-account-signing-key-file": signer,
            "service-cluster-ip-range": "10.96.0.0/16",
            "authorization-mode": "Node,RBAC",
            "audit-log-path": folder / "audit.log",
            "audit-policy-file": folder / "policy.yaml",
        }
        self._argv = [PROGRAM, *(f"--{name}={value}" for name, value in options.items())]
        self._log = folder / "kube-apiserver.log"
        self.admin = Http(self, "kubernetes-admin", "system:masters")  # type: ignore[arg-type]
        self.start()

    def start(self) -> None:
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(self._argv, stdout=log, stderr=log)
        self.pid = self._process.pid
        try:
            wait_until(self._ready, PATIENCE_S, "kube-apiserver has made its first namespaces")
        except AssertionError:
            self.close()  # nobody else knows yet that there is something to end
            raise

    def _ready(self) -> bool:
        assert self._process.poll() is None, "kube-apiserver has ended"
        return self.admin.ready() and self.admin.ask("GET", "/api/v1/namespaces/default").status == 200

    @staticmethod
    def version() -> str:
        """What it calls itself."""
        return subprocess.run([PROGRAM, "--version"], capture_output=True, text=True, check=True).stdout.strip()

    def stop(self) -> None:
        self._process.kill()
        self._process.wait()

    def close(self) -> None:
        self.stop()
        self._etcd.close()
