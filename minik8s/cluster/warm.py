"""Done once in the zygote so that no component has to: what each would otherwise build for itself in its first second.

Memory that is made before the fork is shared; the same memory made after it exists once in each of fourteen processes.
Measured: TLS's own tables alone are 4 MB. Invariant: nothing here opens a socket or starts a thread.

Read next: `zygote.py`.
"""

import contextlib
import ssl
from pathlib import Path

from minik8s.api import codec, kinds


def warm(pki: Path) -> None:
    """Fill the caches; `pki` has the cluster's certificates."""
    shake_hands(pki)
    for cls in kinds.KINDS:
        codec.encode(codec.decode(cls, b'{"metadata":{"name":"x"}}'))


def shake_hands(pki: Path) -> None:
    """One TLS handshake with ourselves, through memory: loads what TLS loads at its first use."""
    ours = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ours.load_cert_chain(pki / "apiserver.crt", pki / "apiserver.key")
    ours.load_verify_locations(pki / "ca.crt")
    ours.verify_mode = ssl.CERT_OPTIONAL
    theirs = ssl.create_default_context(cadata=(pki / "ca.crt").read_text())
    theirs.load_cert_chain(pki / "apiserver-kubelet-client.crt", pki / "apiserver-kubelet-client.key")
    up, down = ssl.MemoryBIO(), ssl.MemoryBIO()
    server = ours.wrap_bio(up, down, server_side=True)
    client = theirs.wrap_bio(down, up, server_hostname="localhost")
    for side in (client, server, client, server):
        with contextlib.suppress(ssl.SSLWantReadError):
            side.do_handshake()
    client.write(b"x")
    server.read(1)
