"""The least that a server of this kind does: gunicorn, Flask and TLS around a handler that returns ready bytes.

What the API server costs beyond this is its own: authentication, authorisation, the store. The one argument is JSON:
port, certificate, key.
"""

import json
import sys

from flask import Flask, Response
from gunicorn.app.base import BaseApplication

PORT, CERTIFICATE, KEY = json.loads(sys.argv[1])
BODY = b'{"kind":"Pod","pad":"' + b"-" * 1000 + b'"}'


class Peer(BaseApplication):
    def load_config(self) -> None:
        for name, value in {
            "bind": [f"127.0.0.1:{PORT}"],
            "worker_class": "gthread",
            "threads": 48,
            "keepalive": 75,
            "loglevel": "warning",
            "certfile": CERTIFICATE,
            "keyfile": KEY,
            "control_socket_disable": True,
        }.items():
            self.cfg.set(name, value)

    def load(self) -> Flask:
        app = Flask("peer", static_folder=None)
        app.add_url_rule("/<path:path>", "get", lambda path: Response(BODY, mimetype="application/json"))
        return app


Peer().run()
