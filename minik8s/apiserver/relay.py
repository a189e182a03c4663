"""Logs, exec and the node proxy: which agent to ask, about which container; `streaming.py` then carries the bytes.

Invariant: everything that can be wrong (no such Pod, no such container, not scheduled) is said before the connection
to the agent, because after an upgrade there is no HTTP answer any more.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, quote

from minik8s.api import codec
from minik8s.api.core import Node, Pod
from minik8s.api.meta import Object
from minik8s.apiserver import errors
from minik8s.apiserver.registry import Registry, key_of
from minik8s.apiserver.request import Request
from minik8s.apiserver.streaming import Agents, Answer, Question, Upgraded, log_question, upgrade_question

SUBRESOURCES = ("log", "exec", "attach", "portforward", "proxy")
DEFAULT_CONTAINER = "kubectl.kubernetes.io/default-container"


class Relay:
    """Finds the agent for a request. `agents` is None when the server was given no certificate to show them."""

    def __init__(self, registry: Registry, agents: Agents | None) -> None:
        self._registry = registry
        self._agents = agents

    def answer(self, request: Request, environ: Mapping[str, Any]) -> Answer | Upgraded:
        if self._agents is None:
            raise errors.unavailable("this API server has no client certificate for the agents")
        name = request.target.name
        self._registry.wait_fresh()
        if request.target.subresource == "proxy":
            return self._agents.ask(self._node(name), _proxy_question(request, environ))
        pod = self._find(Pod, request.target.namespace, name)
        assert isinstance(pod, Pod)
        if not pod.spec.nodeName:
            raise errors.bad_request(f"pod {name} does not have a host assigned")
        return self._of_pod(request, pod, environ)

    def _of_pod(self, request: Request, pod: Pod, environ: Mapping[str, Any]) -> Answer | Upgraded:
        assert self._agents is not None
        query, page = environ.get("QUERY_STRING", ""), request.target.subresource
        node, where = self._node(pod.spec.nodeName), (request.target.namespace, request.target.name)
        if page == "portforward":
            return self._agents.upgrade(node, upgrade_question(("portForward", *where), environ))
        container = container_of(pod, (parse_qs(query).get("container") or [""])[0])
        if page in ("exec", "attach"):
            return self._agents.upgrade(node, upgrade_question((page, *where, container), environ))
        follow = parse_qs(query).get("follow", [""])[0] in ("true", "1")
        return self._agents.ask(node, log_question((*where, container), query), follow)

    def _node(self, name: str) -> Node:
        node = self._find(Node, "", name)
        assert isinstance(node, Node)
        return node

    def _find(self, cls: type[Object], namespace: str, name: str) -> Object:
        found = self._registry.cache.get(key_of(cls, namespace, name))
        if found is None:
            raise errors.not_found(cls, name)
        return codec.decode(cls, found)


def _proxy_question(request: Request, environ: Mapping[str, Any]) -> Question:
    query = environ.get("QUERY_STRING", "")
    path = "/" + quote(request.target.rest)
    return Question(f"{path}?{query}" if query else path, environ.get("REQUEST_METHOD", "GET"))


def container_of(pod: Pod, asked: str) -> str:
    """The container that is meant: the one named, the one marked as default, or the only one."""
    names = [each.name for each in (*pod.spec.initContainers, *pod.spec.containers)]
    if asked:
        if asked not in names:
            raise errors.bad_request(f"container {asked} is not valid for pod {pod.metadata.name}")
        return asked
    marked = pod.metadata.annotations.get(DEFAULT_CONTAINER, "")
    if marked in names:
        return marked
    if len(pod.spec.containers) == 1:
        return pod.spec.containers[0].name
    choice = " ".join(each.name for each in pod.spec.containers)
    raise errors.bad_request(
        f"a container name must be specified for pod {pod.metadata.name}, choose one of: [{choice}]"
    )
