"""Server-side apply: a PATCH that states everything its author wants to own of an object, which it may also create.

Read the newest → merge what is stated, prune what was given up, refuse what is others' (`api/ownership/`) → then as
every update. Invariants: applying the same once more writes nothing; two who apply the same own it together; a
conflict names each field and whose it is, and changes nothing. Read `verbs.py` for the write.
"""

import dataclasses
from typing import Any

import msgspec

from minik8s.api import codec, unknown
from minik8s.api.meta import Object
from minik8s.api.ownership import fieldset, managers, merge, walk
from minik8s.api.ownership.recorded import Author
from minik8s.apiserver import admission, authorship, errors, patches, strategy
from minik8s.apiserver.request import Answer, Request
from minik8s.apiserver.verbs import Verbs
from minik8s.apiserver.wire.yamltext import from_yaml

LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
KUBECTL = "kubectl"
FORCED = ("true", "1")

Plain = dict[str, Any]


def patch(verbs: Verbs, request: Request) -> Answer:
    """A PATCH of whatever kind."""
    applies = admission.media_type(request) == patches.APPLY_PATCH
    authorship.check(request, applies)
    return apply(verbs, request, stated(request)) if applies else verbs.patch(request)


def apply(verbs: Verbs, request: Request, obj: Plain) -> Answer:
    author = authorship.author(request)

    def change(old: Object) -> Object:
        return verbs.updated(request, old, applied(request, old, obj, author), None)

    try:
        return verbs.modify(request, change)
    except errors.Failure as failure:
        if failure.code != 404 or request.target.subresource:
            raise
    try:
        return _create(verbs, request, obj, author)
    except errors.Failure as failure:
        if failure.status.reason != "AlreadyExists":
            raise
    return verbs.modify(request, change)  # somebody else made it in this moment


def _create(verbs: Verbs, request: Request, obj: Plain, author: Author) -> Answer:
    uid = obj["metadata"].get("uid")
    if uid:
        because = f"uid mismatch: the provided object specified uid {uid}, and no existing object was found"
        raise errors.conflict(request.cls, request.target.name, because)
    created = dataclasses.replace(request, verb="create")
    draft = admission.decode(created, obj)
    me = author.manager(draft, "Apply")
    draft.metadata.managedFields = managers.write({me: managers.Held(walk.owned(request.cls, obj), author.now)})
    return verbs.create_from(created, draft, None)


def applied(request: Request, old: Object, obj: Plain, author: Author) -> Object:
    """What the object shall be after this apply, and who then owns what of it."""
    live, cls = codec.to_dict(old), type(old)
    known = managers.read(old.metadata.managedFields) or {}
    me, force = author.manager(old, "Apply"), request.query.get("force", "") in FORCED
    wanted = managers.Stated(obj, me, force, _allowed(cls, live, author.name))
    try:
        raw, after = managers.apply(known, cls, live, wanted, author.now)
    except managers.Conflicts as conflicts:
        raise errors.apply_conflict(cls, old.metadata.name, str(conflicts), conflicts.found) from conflicts
    except merge.Doubled as error:
        raise errors.bad_request(f"failed to create typed patch object: {error}") from error
    if author.name == KUBECTL:
        _refresh(raw, live, obj)
    new = admission.decode(request, raw)
    new.metadata.managedFields = managers.write(after)
    return new


# --- what is stated ---------------------------------------------------------------------------------------------------


def plain(request: Request) -> Plain:
    """The body as plain values, without nulls."""
    obj = from_yaml(request.body)
    if not isinstance(obj, dict):
        raise errors.bad_request("the object provided is unrecognized (must be an object)")
    made: Plain = codec.drop_nulls(obj)
    return made


def stated(request: Request) -> Plain:
    """The body: an object of this kind without anything that is not for its author to state."""
    obj, cls = plain(request), request.cls
    for field, expected in (("apiVersion", cls.resource.apiVersion), ("kind", cls.resource.kind)):
        if not obj.get(field):
            raise errors.bad_request(f"Object '{field}' is missing in the applied object")
        if obj[field] != expected:
            message = f"Incorrect {field} specified in apply patch. Specified: {obj[field]}, expected: {expected}"
            raise errors.bad_request(message)
    if not isinstance(obj.setdefault("metadata", {}), dict):
        raise errors.bad_request("metadata: expected an object")
    if "managedFields" in obj["metadata"]:
        raise errors.bad_request("metadata.managedFields must be nil")
    _check_known(request, obj)
    admission.typed(cls, obj)  # a wrong type is told before it is merged into anything
    ignored = strategy.content_fields(cls) if request.target.subresource == "status" else ["status"]
    return {key: each for key, each in obj.items() if key not in ignored}


def _check_known(request: Request, obj: Plain) -> None:
    """An apply owns what it states, so it cannot state what is not there: never just a warning, as upstream."""
    found = unknown.unknown_fields(request.cls, obj)
    if found:
        where = request.target
        what = f"{where.namespace}/{where.name}; {request.cls.resource.apiVersion}, Kind={request.cls.resource.kind}"
        texts = "\n".join(f".{each}: field not declared in schema" for each in found)
        raise errors.bad_request(f"failed to create typed patch object ({what}): {texts}")


# --- from kubectl apply to kubectl apply --server-side ---------------------------------------------------------------


def _allowed(cls: type[Object], live: Plain, name: str) -> fieldset.Fields | None:
    """What kubectl applied from the client's side is its own, whatever that manager is called: no conflict there."""
    last = _annotation(live) if name == KUBECTL else None
    if last is None:
        return None
    try:
        before = msgspec.json.decode(last)
        return walk.owned(cls, codec.drop_nulls(before)) if isinstance(before, dict) else None
    except (msgspec.DecodeError, AttributeError):
        return None


def _refresh(raw: Plain, live: Plain, obj: Plain) -> None:
    """Keep the annotation true for who goes back to the client's side."""
    if _annotation(live) is None or _annotation(raw) is None:
        return
    metadata = {key: each for key, each in obj["metadata"].items() if key != "annotations"}
    others = {key: each for key, each in obj["metadata"].get("annotations", {}).items() if key != LAST_APPLIED}
    if others:
        metadata["annotations"] = others
    text = msgspec.json.encode({**obj, "metadata": metadata}, order="sorted").decode() + "\n"
    annotations = {**raw["metadata"]["annotations"], LAST_APPLIED: text}
    raw["metadata"] = {**raw["metadata"], "annotations": annotations}


def _annotation(obj: Plain) -> str | None:
    return obj.get("metadata", {}).get("annotations", {}).get(LAST_APPLIED)
