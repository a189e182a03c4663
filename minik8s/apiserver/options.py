"""What an API server is told when it starts."""

from dataclasses import dataclass, field

from minik8s import params


@dataclass(frozen=True)
class ServerOptions:
    """Addresses and files. `listen`: "address:port", or "fd://N" for a socket that the parent process has opened.

    `kubelet_client_*` is what this server shows to the agents for logs and exec. Without a
    `service_account_signing_key_file` no ServiceAccount has tokens. With no `audit_file` the audit is only kept in
    memory. One etcd endpoint or several; the etcd is dedicated to the cluster. Without `etcd_cafile` and its pair it is
    spoken to in the clear.
    """

    etcd: tuple[str, ...] = (f"127.0.0.1:{params.ETCD_CLIENT_PORT}",)
    etcd_cafile: str = ""
    etcd_certfile: str = ""
    etcd_keyfile: str = ""
    listen: tuple[str, ...] = (f"127.0.0.1:{params.API_PORT}",)
    tls_cert_file: str = ""
    tls_private_key_file: str = ""
    client_ca_file: str = ""
    kubelet_client_certificate: str = ""
    kubelet_client_key: str = ""
    service_account_signing_key_file: str = ""
    audit_file: str = ""
    name: str = "apiserver"
    threads: int = field(default=params.SERVER_THREADS)
