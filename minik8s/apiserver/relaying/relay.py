"""Logs, exec, attach, port-forward and proxy: which agent to ask, about what; `streaming.py` then asks it.

Invariant: everything that can be wrong (no such Pod, no such container, not scheduled) is said before the connection
to the agent, because after an upgrade there is no HTTP answer any more. Read next: proxying.py, streaming.py.
"""

from collections.abc import Mapping
from typing import Any, TypeVar
from urllib.parse import parse_qs

from minik8s import params
from minik8s.api import codec
from minik8s.api.core import EndpointAddress, Endpoints, Node, Service
from minik8s.api.meta import Object
from minik8s.api.pods import Pod, condition
from minik8s.apiserver import errors
from minik8s.apiserver.admission import whole
from minik8s.apiserver.registry import Registry, key_of, prefix_of
from minik8s.apiserver.relaying import proxying
from minik8s.apiserver.relaying.proxying import Meant, Path
from minik8s.apiserver.relaying.streaming import (
    Agents,
    Answer,
    Outcome,
    Place,
    Question,
    address,
    log_question,
    upgrade_question,
)
from minik8s.apiserver.request import Request
from minik8s.host import clock

SUBRESOURCES = ("log", "exec", "attach", "portforward", "proxy")
DEFAULT_CONTAINER = "kubectl.kubernetes.io/default-container"
T = TypeVar("T", bound=Object)


class Relay:
    """Finds the agent for a request. `agents` is None when the server was given no certificate to show them."""

    def __init__(self, registry: Registry, agents: Agents | None) -> None:
        self._registry = registry
        self._given = agents

    @property
    def _agents(self) -> Agents:
        if self._given is None:
            raise errors.unavailable("this API server has no client certificate for the agents")
        return self._given

    def answer(self, request: Request, environ: Mapping[str, Any]) -> Outcome:
        self._registry.wait_fresh()
        if request.target.subresource == "proxy":
            return self._proxy(request, environ)
        pod = self._find(Pod, request.target.namespace, request.target.name)
        where = (request.target.namespace, request.target.name)
        if request.target.subresource == "portforward":
            return self._agents.upgrade(self._host(pod), upgrade_question(("portForward", *where), environ))
        query = environ.get("QUERY_STRING", "")
        container = container_of(pod, (parse_qs(query).get("container") or [""])[0])
        if request.target.subresource == "log":
            check_log_options(pod.metadata.name, request.query)
            return self._agents.log(self._host(pod), log_question((*where, container), query))
        return self._agents.upgrade(
            self._host(pod), upgrade_question((request.target.subresource, *where, container), environ)
        )

    # --- proxy --------------------------------------------------------------------------------------------------------

    def _proxy(self, request: Request, environ: Mapping[str, Any]) -> Outcome:
        path = proxying.path_of(environ)
        again = proxying.slash(environ, path)
        if again is not None:
            return Answer(301, again, b"")
        wanted = proxying.meant(request.target.name, request.cls.resource.singular)
        if request.cls is Node:
            node = self._find(Node, "", wanted.name)
            if wanted.port in ("", str(params.KUBELET_PORT)):
                return self._agents.ask(node, _page(environ, path, request.body))
            place = Place(wanted.scheme, address(node), _number(wanted))
        elif request.cls is Pod:
            pod = self._find(Pod, request.target.namespace, wanted.name)
            node, place = self._host(pod), proxying.of_pod(pod, wanted)
        else:
            node, place = self._endpoint(request.target.namespace, wanted)
        question = proxying.question(environ, path, place, request.body)
        return self._agents.through(node, place, question, proxying.manners(path, place))

    def _endpoint(self, namespace: str, wanted: Meant) -> tuple[Node, Place]:
        service = self._find(Service, namespace, wanted.name)
        found = self._registry.cache.get(key_of(Endpoints, namespace, wanted.name))
        endpoints = codec.decode(Endpoints, found) if found else None
        place, endpoint = proxying.of_service(service, endpoints, wanted, clock.fraction())
        return self._reaching(endpoint), place

    def _reaching(self, endpoint: EndpointAddress) -> Node:
        """The node of an endpoint; for one outside of the cluster any node that is ready."""
        if endpoint.nodeName:
            return self._find(Node, "", endpoint.nodeName)
        for _, value in self._registry.cache.items(prefix_of(Node, ""))[0]:
            node = codec.decode(Node, value)
            ready = condition(node.status.conditions, "Ready")
            if ready is not None and ready.status == "True":
                return node
        raise errors.unavailable("no node is ready to reach the endpoint from")

    # --- objects ------------------------------------------------------------------------------------------------------

    def _host(self, pod: Pod) -> Node:
        if not pod.spec.nodeName:
            raise errors.bad_request(f"pod {pod.metadata.name} does not have a host assigned")
        return self._find(Node, "", pod.spec.nodeName)

    def _find(self, cls: type[T], namespace: str, name: str) -> T:
        found = self._registry.cache.get(key_of(cls, namespace, name))
        if found is None:
            raise errors.not_found(cls, name)
        return codec.decode(cls, found)


def _page(environ: Mapping[str, Any], path: Path, body: bytes) -> Question:
    """A page of the agent itself."""
    target = (path.rest or "/") + (f"?{path.query}" if path.query else "")
    return Question(target, environ.get("REQUEST_METHOD", "GET"), proxying.headers_of(environ), body)


def _number(wanted: Meant) -> int:
    if not wanted.port.isdigit() or not 0 < int(wanted.port) < 1 << 16:
        raise errors.bad_request(f'invalid node request: "{wanted.port}" is not the number of a port')
    return int(wanted.port)


def check_log_options(name: str, query: Mapping[str, str]) -> None:
    """What may be asked of a log; raises a 422 with all that is wrong."""
    wrong = []
    for field, least in (("tailLines", 0), ("sinceSeconds", 1), ("limitBytes", 1)):
        text = query.get(field) or str(least)
        if whole(text, field) < least:
            wrong.append(f"{field}: Invalid value: {text}: must be greater than or equal to {least}")
    if query.get("sinceSeconds") and query.get("sinceTime"):
        wrong.append("sinceSeconds: Forbidden: at most one of `sinceTime` or `sinceSeconds` may be specified")
    if wrong:
        said = wrong[0] if len(wrong) == 1 else f"[{', '.join(wrong)}]"
        raise errors.Failure(422, "Invalid", f'PodLogOptions "{name}" is invalid: {said}')


def container_of(pod: Pod, asked: str) -> str:
    """The container that is meant: the one named, the one marked as default, or the only one."""
    names = [each.name for each in (*pod.spec.initContainers, *pod.spec.containers, *pod.spec.ephemeralContainers)]
    if asked:
        if asked not in names:
            raise errors.bad_request(f"container {asked} is not valid for pod {pod.metadata.name}")
        return asked
    marked = pod.metadata.annotations.get(DEFAULT_CONTAINER, "")
    if marked in names:
        return marked
    if len(pod.spec.containers) == 1:
        return pod.spec.containers[0].name
    choice = f"[{' '.join(each.name for each in pod.spec.containers)}]"
    inits = " ".join(each.name for each in pod.spec.initContainers)
    also = f" or one of the init containers: [{inits}]" if inits else ""
    raise errors.bad_request(
        f"a container name must be specified for pod {pod.metadata.name}, choose one of: {choice}{also}"
    )
