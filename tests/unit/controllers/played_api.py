"""A played API for plans: objects in a dict, actions applied to them the way the API server would.

Also the short words in which worlds are written down: `pod("web-1")`, `svc()`, `replicaset(3)`.
"""

import itertools

from minik8s.api import codec, defaults, patch
from minik8s.api.apps import DaemonSet, Deployment, ReplicaSet, StatefulSet
from minik8s.api.core import Node, Pod, Service
from minik8s.api.meta import Object, key, owner_of
from minik8s.controllers.actions import Create, Delete, Patch, Tell

LONG_AGO = "2026-01-01T00:00:00Z"


class PlayedApi:
    """Applies plans. Pods with a node end slowly, as they do in the real thing: `finish` removes them."""

    def __init__(self, *objects: Object) -> None:
        self._numbers = itertools.count(1)
        self.objects: dict[tuple[type, str], Object] = {}
        for obj in objects:
            self.add(obj)

    def add(self, obj: Object) -> Object:
        number = next(self._numbers)
        meta = obj.metadata
        meta.name = meta.name or f"{meta.generateName}{number:05d}"
        meta.uid = meta.uid or f"uid-{number}"
        meta.resourceVersion = meta.resourceVersion or str(number)
        meta.creationTimestamp = meta.creationTimestamp or LONG_AGO
        assert (type(obj), key(obj)) not in self.objects, f"{key(obj)} exists"
        self.objects[type(obj), key(obj)] = obj
        return obj

    def all(self, cls):
        return [obj for (kind, _), obj in self.objects.items() if kind is cls]

    def get(self, cls, name: str):
        return self.objects.get((cls, name))

    def apply(self, actions) -> None:
        for action in actions:
            if isinstance(action, Create):
                self.add(codec.from_dict(type(action.obj), codec.to_dict(action.obj)))
            elif isinstance(action, Patch):
                self._patch(action)
            elif isinstance(action, Delete):
                self._delete(action)
            else:
                assert isinstance(action, Tell)

    def _patch(self, action: Patch) -> None:
        cls, name = type(action.target), key(action.target)
        old = self.objects.get((cls, name))
        assert old is not None, f"{name} is gone"
        given = action.patch.get("metadata", {}).get("resourceVersion")
        assert given in (None, old.metadata.resourceVersion), f"{name} was changed meanwhile"
        before = codec.to_dict(old)
        written = ("status", "metadata") if action.subresource == "status" else tuple(action.patch)
        change = {field: action.patch[field] for field in written if field in action.patch}
        after = patch.merge(before, change)
        if after.get("spec") != before.get("spec"):
            after["metadata"]["generation"] = after["metadata"].get("generation", 0) + 1
        after["metadata"]["resourceVersion"] = str(next(self._numbers) + 1000)
        self.objects[cls, name] = codec.from_dict(cls, after)

    def _delete(self, action: Delete) -> None:
        cls, name = type(action.target), key(action.target)
        old = self.objects[cls, name]
        assert old.metadata.uid == action.target.metadata.uid
        if cls is Pod and old.spec.nodeName and action.grace != 0:
            gone = codec.from_dict(cls, codec.to_dict(old))
            gone.metadata.deletionTimestamp = LONG_AGO
            self.objects[cls, name] = gone
        else:
            del self.objects[cls, name]

    def finish(self) -> None:
        """The agents: Pods that are being deleted end."""
        for pod in self.all(Pod):
            if pod.metadata.deletionTimestamp:
                del self.objects[Pod, key(pod)]


# --- Words -------------------------------------------------------------------------------------------------------


def ready_condition(ready: bool, since: str = LONG_AGO) -> dict:
    return {"type": "Ready", "status": str(ready), "lastTransitionTime": since}


def pod(name: str, ready: bool | None = True, owner: Object | None = None, **fields) -> Pod:
    """A Pod of `app=web` on node-1. `ready` None: it has not started yet. Fields: labels, node, ip, phase, gone,
    spec."""
    number = int(name.rpartition("-")[2]) if name.rpartition("-")[2].isdecimal() else 200
    started = ready is not None
    ip = fields.get("ip", f"10.244.1.{number}" if started else "")
    status = {"phase": fields.get("phase", "Running" if started else "Pending")}
    if ip:
        status |= {"podIP": ip, "podIPs": [{"ip": ip}]}
    if started:
        status["conditions"] = [ready_condition(bool(ready), fields.get("since", LONG_AGO))]
    meta = {
        "name": name,
        "namespace": "default",
        "uid": f"uid-{name}",
        "creationTimestamp": fields.get("created", LONG_AGO),
    }
    meta |= {"labels": fields.get("labels", {"app": "web"}), "annotations": fields.get("annotations", {})}
    if fields.get("gone"):
        meta["deletionTimestamp"] = LONG_AGO
    if owner is not None:
        meta["ownerReferences"] = [codec.to_dict(owner_of(owner))]
    spec = {"nodeName": fields.get("node", "node-1"), "containers": [{"name": "c"}], **fields.get("spec", {})}
    return codec.from_dict(Pod, {"metadata": meta, "spec": spec, "status": status})


def svc(name: str = "web", **spec) -> Service:
    plain = {"selector": {"app": "web"}, "ports": [{"port": 80, "targetPort": 8080}], "ipFamilies": ["IPv4"]}
    meta = {"name": name, "namespace": "default", "uid": f"uid-{name}"}
    return codec.from_dict(Service, {"metadata": meta, "spec": {"clusterIP": "10.96.0.50", **plain, **spec}})


def replicaset(replicas: int, **spec) -> ReplicaSet:
    template = {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "c", "image": "x:1"}]}}
    plain = {"replicas": replicas, "selector": {"matchLabels": {"app": "web"}}, "template": template}
    meta = {"name": "web", "namespace": "default", "uid": "uid-rs", "generation": 1}
    return codec.from_dict(ReplicaSet, {"metadata": meta, "spec": plain | spec})


def deployment(replicas: int = 3, image: str = "x:1", **spec) -> Deployment:
    template = {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "c", "image": image}]}}
    plain = {"replicas": replicas, "selector": {"matchLabels": {"app": "web"}}, "template": template}
    plain["progressDeadlineSeconds"] = 600
    meta = {"name": "web", "namespace": "default", "uid": "uid-deployment", "generation": 1}
    return codec.from_dict(Deployment, {"metadata": meta, "spec": plain | spec})


def statefulset(replicas: int = 3, image: str = "x:1", **spec) -> StatefulSet:
    return _templated(StatefulSet, image, {"replicas": replicas, "serviceName": "web"} | spec)


def daemonset(image: str = "x:1", pod: dict | None = None, **spec) -> DaemonSet:
    return _templated(DaemonSet, image, spec, pod)


def _templated(cls, image: str, spec: dict, pod: dict | None = None):
    template = {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "c", "image": image}]}}
    template["spec"] |= pod or {}
    plain = {"selector": {"matchLabels": {"app": "web"}}, "template": template} | spec
    meta = {"name": "web", "namespace": "default", "uid": f"uid-{cls.__name__}", "generation": 1}
    obj = codec.from_dict(cls, {"metadata": meta, "spec": plain})
    defaults.set_defaults(obj)
    return obj


def node(name: str, ready: str = "True", **spec) -> Node:
    conditions = [{"type": "Ready", "status": ready, "lastHeartbeatTime": LONG_AGO}] if ready else []
    meta = {"name": name, "uid": f"uid-{name}", "resourceVersion": "1", "labels": spec.pop("labels", {})}
    room = {"cpu": "2", "memory": "4Gi", "pods": "10"} | spec.pop("room", {})
    return codec.from_dict(
        Node, {"metadata": meta, "spec": spec, "status": {"conditions": conditions, "allocatable": room}}
    )


def words(actions) -> list[str]:
    """A plan as short lines: `delete pods web-1`."""
    lines = []
    for action in actions:
        if isinstance(action, Tell):
            lines.append(f"tell {action.about.metadata.name} {action.reason}")
            continue
        obj = action.obj if isinstance(action, Create) else action.target
        name = obj.metadata.name or obj.metadata.generateName
        status = "/status" if getattr(action, "subresource", "") else ""
        lines.append(f"{type(action).__name__.lower()} {obj.resource.plural}{status} {name}")
    return lines
