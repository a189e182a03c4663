"""A few words with whoever keeps the processes of this machine running, over a socket that is a file.

One request and one answer, each a line of JSON. The other end is `cluster/zygote.py`; who only knows the socket's path
can ask it without knowing anything else of it.
"""

import json
import os
import socket
from typing import Any


def ask(path: str | os.PathLike[str], request: dict[str, Any], timeout: float) -> dict[str, Any]:
    """Ask, and wait so many seconds for the answer. OSError: nobody answers; ValueError: the request is refused."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(timeout)
        connection.connect(os.fspath(path))
        connection.sendall(json.dumps(request).encode() + b"\n")
        with connection.makefile("rb") as stream:
            line = stream.readline()
    if not line:
        raise ConnectionResetError("it ended while we asked")
    reply: dict[str, Any] = json.loads(line)
    if "error" in reply:
        raise ValueError(reply["error"])
    return reply
