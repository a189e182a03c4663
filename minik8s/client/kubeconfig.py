"""Reading a kubeconfig: where the API server is, whom to trust, and who we are.

Only what minik8s' own identities need: server, CA, client certificate or bearer token, each inline or as a file.
Source: the kubeconfig v1 format of client-go. Errors: ValueError naming the file and the part that is missing.
"""

import base64
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml


@dataclass(frozen=True)
class Access:
    """Everything a client needs to connect. PEM bytes; empty where there is none."""

    servers: tuple[str, ...]
    ca: bytes = b""
    certificate: bytes = b""
    private_key: bytes = b""
    token: str = ""
    namespace: str = "default"


def _named(config: dict[str, Any], kind: str, name: str) -> dict[str, Any]:
    for each in config.get(f"{kind}s") or ():
        if each.get("name") == name:
            return each.get(kind) or {}
    raise ValueError(f"no {kind} {name!r}")


def _bytes(part: dict[str, Any], field: str, base: Path) -> bytes:
    inline, path = part.get(f"{field}-data"), part.get(field)
    if inline:
        return base64.b64decode(inline)
    return (base / path).read_bytes() if path else b""


def load(path: str | Path) -> Access:
    """The access that the file's current context describes."""
    file = Path(path)
    try:
        text = file.read_text()
        # JSON is YAML, read a hundred times faster: minik8s writes its own kubeconfigs so.
        config = (json.loads(text) if text.startswith("{") else yaml.safe_load(text)) or {}
    except OSError as error:
        raise ValueError(f"kubeconfig {file}: {(error.strerror or str(error)).lower()}") from error
    except (ValueError, yaml.YAMLError) as error:
        raise ValueError(f"kubeconfig {file}: this is neither YAML nor JSON") from error
    if not isinstance(config, dict):
        raise ValueError(f"kubeconfig {file}: clusters, users and contexts were expected")
    try:
        context = _named(config, "context", config.get("current-context", ""))
        cluster = _named(config, "cluster", context.get("cluster", ""))
        user = _named(config, "user", context.get("user", ""))
    except ValueError as error:
        raise ValueError(f"kubeconfig {file}: {error}") from error
    return Access(
        # Kubernetes has one address here; we accept several with commas between them, tried in turn.
        servers=tuple(filter(None, str(cluster.get("server", "")).split(","))),
        ca=_bytes(cluster, "certificate-authority", file.parent),
        certificate=_bytes(user, "client-certificate", file.parent),
        private_key=_bytes(user, "client-key", file.parent),
        token=user.get("token", ""),
        namespace=context.get("namespace", "default"),
    )
