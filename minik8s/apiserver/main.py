"""Starts the API server: gunicorn with one worker of many threads (`worker.py`).

The arbiter holds the listening sockets and replaces a worker that died; the worker opens the store (a gRPC channel
does not survive a fork) and answers. Invariants: the worker dies with its arbiter; requests are answered only when
the cache is filled (connections queue meanwhile). Read `http.py` next.
"""

import gc
import logging
import resource
import ssl
import threading
from pathlib import Path
from typing import Any

from gunicorn.app.base import BaseApplication
from gunicorn.arbiter import Arbiter
from gunicorn.workers.gthread import ThreadWorker

from minik8s import params
from minik8s.api.kinds import KINDS
from minik8s.apiserver import housekeeping
from minik8s.apiserver.audit import Audit
from minik8s.apiserver.auth.policies import Authorizer
from minik8s.apiserver.auth.signing import Keys
from minik8s.apiserver.dispatch import Dispatcher
from minik8s.apiserver.http import Server, Who
from minik8s.apiserver.metering import Metering
from minik8s.apiserver.options import ServerOptions
from minik8s.apiserver.registry import Registry, prefix_of
from minik8s.apiserver.relaying.relay import Relay
from minik8s.apiserver.relaying.streaming import Agents
from minik8s.apiserver.serving import instruments
from minik8s.apiserver.serving.worker import Worker
from minik8s.host import processes
from minik8s.store.cache import Cache
from minik8s.store.etcd import Store
from minik8s.store.find import Pair

GRACEFUL_STOP_S = 1

log = logging.getLogger(__name__)


class Application(BaseApplication):
    """Our options in gunicorn's words."""

    def __init__(self, options: ServerOptions) -> None:
        self._options = options
        super().__init__()

    def load_config(self) -> None:
        for name, value in settings(self._options).items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        """Runs in the worker, after the fork."""
        return serve(self._options)


def settings(options: ServerOptions) -> dict[str, Any]:
    """gunicorn's settings, each because of something measured or promised."""
    found: dict[str, Any] = {
        "bind": list(options.listen),
        "worker_class": Worker,
        "workers": 1,  # all state of a server is in one process: its cache, its open watches
        "threads": options.threads,
        "worker_connections": params.MAX_CONNECTIONS + 1,  # the worker makes room by itself
        "limit_request_line": params.MAX_REQUEST_LINE,
        "forwarded_allow_ips": "",  # no proxy stands before us whose word about the client would count
        "timeout": 0,  # no heartbeat files: a worker that hangs is seen by its health page
        "graceful_timeout": GRACEFUL_STOP_S,
        "loglevel": "warning",
        "proc_name": options.name,
        "post_fork": _post_fork,
        "pre_fork": _pre_fork,
        "control_socket_disable": True,
    }
    if options.tls_cert_file:
        found |= {
            "certfile": options.tls_cert_file,
            "keyfile": options.tls_private_key_file,
            "ca_certs": options.client_ca_file,
            # Who shows no certificate is anonymous and sees health and version.
            "cert_reqs": ssl.CERT_OPTIONAL,
            "ssl_context": _tls,
        }
    return found


def _tls(_config: Any, default: Any) -> ssl.SSLContext:
    context: ssl.SSLContext = default()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def _pre_fork(arbiter: Arbiter, _worker: ThreadWorker) -> None:
    processes.set_title(arbiter.cfg.proc_name)  # here, for gunicorn gives the arbiter its own title when it is ready


def _post_fork(arbiter: Arbiter, _worker: ThreadWorker) -> None:
    processes.die_with_parent()
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))  # a socket for each watch
    processes.set_title(f"{arbiter.cfg.proc_name} worker")


def serve(options: ServerOptions) -> Any:
    """Open the store, fill the cache, make sure of the first namespaces; returns the WSGI application."""
    gc.freeze()  # what was imported stays
    gc.set_threshold(*params.GC_THRESHOLD)
    store = _store(options)
    cache = Cache(store)
    cache.start()
    registry = Registry(store, cache)
    instruments.follow(cache, [(cls.resource.qualified, prefix_of(cls)) for cls in KINDS])
    signs = options.service_account_signing_key_file
    dispatcher = Dispatcher(registry, Keys.load(signs) if signs else None)
    dispatcher.watches.start()
    stopping = threading.Event()
    Worker.at_stop[:] = [dispatcher.watches.broadcaster.stop, stopping.set]
    authority = Path(options.client_ca_file).read_text() if options.client_ca_file else ""
    care = (dispatcher, stopping, authority)
    threading.Thread(target=housekeeping.run, args=care, name="housekeeping", daemon=True).start()
    who = Who(dispatcher.authenticator, Authorizer(registry))
    agents = _agents(options)
    if agents is not None:
        dispatcher.momentary |= Metering(registry, agents).answerers()
    return Server(dispatcher, Audit(options.audit_file or None), Relay(registry, agents), who).wsgi()


def _store(options: ServerOptions) -> Store:
    trust, certificate, key = options.etcd_cafile, options.etcd_certfile, options.etcd_keyfile
    return Store(
        options.etcd,
        observe=lambda operation, took: instruments.ETCD.observe(took, operation=operation),
        tls=Pair(certificate, key, trust) if trust else None,
    )


def _agents(options: ServerOptions) -> Agents | None:
    if not options.kubelet_client_certificate:
        return None
    return Agents(options.client_ca_file, options.kubelet_client_certificate, options.kubelet_client_key)


def main(options: ServerOptions) -> None:
    """Serve until told to stop."""
    Application(options).run()
