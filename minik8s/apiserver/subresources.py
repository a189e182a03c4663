"""Subresources that are not simply the object: binding, scale, finalize.

Each is a small change of the parent object through `Verbs.modify`, so that versions, guards and rights are those of
every write.
"""

import dataclasses

from minik8s.api import codec, pods, selectors, times
from minik8s.api.apps import Deployment, ReplicaSet, StatefulSet
from minik8s.api.autoscaling import Scale, ScaleSpec, ScaleStatus
from minik8s.api.core import Binding, Namespace, Pod
from minik8s.api.meta import Condition, Object, ObjectMeta, Status, StatusCause
from minik8s.api.ownership.recorded import record
from minik8s.apiserver import admission, applying, authorship, errors, patches, strategy
from minik8s.apiserver.request import Answer, Request
from minik8s.apiserver.verbs import Verbs, check_version
from minik8s.host import clock


def bind(verbs: Verbs, request: Request) -> Answer:
    """POST pods/x/binding, or bindings: set spec.nodeName, once and for all."""
    binding: Binding = admission.typed(Binding, admission.document(request))
    name = request.target.name or binding.metadata.name
    if not name or binding.metadata.name not in ("", name):
        raise errors.bad_request("a binding needs the name of its Pod, and the same in its path and its metadata.name")
    request = dataclasses.replace(request, target=dataclasses.replace(request.target, name=name))
    node = binding.target.name
    if not node or binding.target.kind not in ("", "Node"):
        raise errors.bad_request("a binding needs target.kind Node and target.name")

    def change(old: Object) -> Object:
        assert isinstance(old, Pod)
        _check_bindable(old, binding)
        old.spec.nodeName = node
        old.metadata.annotations = {**old.metadata.annotations, **binding.metadata.annotations}
        old.metadata.generation += 1
        _scheduled(old)
        return old

    made = verbs.modify(request, change)
    return Answer(201, codec.encode(Status(status="Success", code=201)), writes=made.writes)


def _check_bindable(pod: Pod, binding: Binding) -> None:
    name, meta = pod.metadata.name, pod.metadata
    if binding.metadata.uid and binding.metadata.uid != meta.uid:
        because = f"Precondition failed: UID in precondition: {binding.metadata.uid}, UID in object meta: {meta.uid}"
        raise errors.conflict(Pod, name, because)
    if meta.deletionTimestamp:
        raise errors.conflict(Pod, name, f"pod {name} is being deleted, cannot be assigned to a host")
    if pod.spec.nodeName:
        raise errors.conflict(Pod, name, f'pod {name} is already assigned to node "{pod.spec.nodeName}"')


def _scheduled(pod: Pod) -> None:
    now = times.rfc3339(clock.wall())
    others = [each for each in pod.status.conditions if each.type != "PodScheduled"]
    known = pods.condition(pod.status.conditions, "PodScheduled")
    since = known.lastTransitionTime if known and known.status == "True" else now
    pod.status.conditions = [*others, Condition(type="PodScheduled", status="True", lastTransitionTime=since)]


# --- scale ----------------------------------------------------------------------------------------------------


Scalable = Deployment | ReplicaSet | StatefulSet


def scale_of(obj: Object) -> Scale:
    assert isinstance(obj, Scalable)
    meta = obj.metadata
    return Scale(
        metadata=ObjectMeta(
            name=meta.name,
            namespace=meta.namespace,
            uid=meta.uid,
            resourceVersion=meta.resourceVersion,
            creationTimestamp=meta.creationTimestamp,
        ),
        spec=ScaleSpec(replicas=1 if obj.spec.replicas is None else obj.spec.replicas),
        status=ScaleStatus(replicas=obj.status.replicas, selector=selectors.format_labels(obj.spec.selector)),
    )


def scale(verbs: Verbs, request: Request) -> Answer:
    """GET, PUT and PATCH of deployments/x/scale."""
    if request.verb == "get":
        return Answer(200, codec.encode(scale_of(verbs.read(request).decode())))
    if admission.media_type(request) == patches.APPLY_PATCH:
        made = _apply_scale(verbs, request)
        return Answer(200, codec.encode(scale_of(codec.decode(request.cls, made.body))), writes=made.writes)
    applied = patches.reader(request) if request.verb == "patch" else patches.whole(request)
    authorship.check(request)
    author = authorship.author(request)

    def change(old: Object) -> Object:
        assert isinstance(old, Scalable)
        wanted = _wanted(old, applied)
        if wanted.spec.replicas < 0:
            message = f"Invalid value: {wanted.spec.replicas}: must be greater than or equal to 0"
            cause = StatusCause(reason="FieldValueInvalid", message=message, field="spec.replicas")
            raise errors.invalid(request.cls, old.metadata.name, [cause])
        if old.spec.replicas == wanted.spec.replicas:
            return old
        new = strategy.copy(old)
        assert isinstance(new, Scalable)
        new.spec.replicas = wanted.spec.replicas
        new.metadata.generation += 1
        record(new, old, author)
        return new

    made = verbs.modify(request, change)
    return Answer(200, codec.encode(scale_of(codec.decode(request.cls, made.body))), writes=made.writes)


def _apply_scale(verbs: Verbs, request: Request) -> Answer:
    """An apply of a Scale states one field of the object that is scaled."""
    authorship.check(request, apply=True)
    given: Scale = admission.typed(Scale, applying.plain(request))
    where = request.cls.resource
    metadata = {"name": given.metadata.name, "resourceVersion": given.metadata.resourceVersion or None}
    parent = {"apiVersion": where.apiVersion, "kind": where.kind, "metadata": codec.drop_nulls(metadata)}
    return applying.apply(verbs, request, {**parent, "spec": {"replicas": given.spec.replicas}})


def _wanted(old: Object, applied: patches.Applied) -> Scale:
    """The Scale a client wants; one that names a version it has seen must have seen the newest."""
    wanted: Scale = admission.typed(Scale, applied(Scale, codec.to_dict(scale_of(old))))
    seen = wanted.metadata.resourceVersion
    if seen and seen != old.metadata.resourceVersion:
        raise errors.modified(type(old), old.metadata.name)
    return wanted


# --- finalize -------------------------------------------------------------------------------------------------


def finalize(verbs: Verbs, request: Request) -> Answer:
    """PUT namespaces/x/finalize: the only way to take "kubernetes" off `spec.finalizers`, and so to let it go."""
    new = admission.decode(request, admission.document(request))

    def change(old: Object) -> Object:
        assert isinstance(old, Namespace) and isinstance(new, Namespace)
        given = strategy.copy(new)
        given.metadata.uid = new.metadata.uid
        check_version(old, given)
        old.spec.finalizers = list(new.spec.finalizers)
        return old

    return verbs.modify(request, change)
