"""A PATCH request → a function from the object as it is to the object that shall be, for each kind of patch.

The Content-Type says which: one table. Invariant: a patch that cannot be applied changes nothing, and the answer says
which part of it is wrong: 400 when it is no patch, 422 when it does not fit this object. Plain values in and out; what
they mean is decoded and checked like any other body (`admission.py`). Read `api/patch.py`, `api/strategic.py` and
`api/jsonpatch.py` for the three languages.
"""

from collections.abc import Callable
from typing import Any

import msgspec

from minik8s.api import jsonpatch, patch, strategic
from minik8s.api.meta import Object, StatusCause
from minik8s.apiserver import admission, errors
from minik8s.apiserver.request import Request

MERGE_PATCH = "application/merge-patch+json"
STRATEGIC_PATCH = "application/strategic-merge-patch+json"
APPLY_PATCH = "application/apply-patch+yaml"  # see applying.py

Plain = dict[str, Any]
Applied = Callable[[type[msgspec.Struct], Plain], Plain]  # the type, and what is there → what shall be there


def reader(request: Request) -> Applied:
    """Read the request's patch once; apply the result to as many versions of the object as it takes."""
    kind = admission.media_type(request)
    if kind not in PATCHES:
        raise errors.unknown_format((*PATCHES, APPLY_PATCH))
    return PATCHES[kind](admission.values(request))


def whole(request: Request) -> Applied:
    """A PUT, for who takes it and a PATCH alike: all that is there goes."""
    found = admission.document(request)
    return lambda cls, current: found


def _merge_patch(given: Any) -> Applied:
    found = _map(given)
    return lambda cls, current: patch.merge(current, found)


def _strategic_patch(given: Any) -> Applied:
    found = _map(given)

    def apply(cls: type[msgspec.Struct], current: Plain) -> Plain:
        try:
            return strategic.merge(cls, current, found)
        except strategic.NoMergeKey as error:
            raise errors.unprocessable(str(error)) from error
        except strategic.BadPatch as error:
            raise errors.bad_request(str(error)) from error

    return apply


def _json_patch(given: Any) -> Applied:
    if isinstance(given, list) and len(given) > jsonpatch.MAX_OPERATIONS:
        most = jsonpatch.MAX_OPERATIONS
        message = f"The allowed maximum operations in a JSON patch is {most}, got {len(given)}"
        raise errors.too_much(message)
    try:
        operations = jsonpatch.check(given)
    except jsonpatch.BadPatch as error:
        raise errors.bad_request(str(error)) from error

    def apply(cls: type[msgspec.Struct], current: Plain) -> Plain:
        try:
            return _map(jsonpatch.apply(current, operations))
        except jsonpatch.Failed as error:
            raise errors.unprocessable(str(error)) from error

    return apply


def _map(given: Any) -> Plain:
    if not isinstance(given, dict):
        raise errors.bad_request("the patch must be a JSON object")
    return given


PATCHES: dict[str, Callable[[Any], Applied]] = {
    admission.JSON_PATCH: _json_patch,
    MERGE_PATCH: _merge_patch,
    STRATEGIC_PATCH: _strategic_patch,
}


def decoded(request: Request, raw: Plain) -> Object:
    """The object that a patch makes. That it cannot be one is the fault of the patch: 422, not 400."""
    try:
        return admission.decode(request, raw)
    except admission.WrongType as error:
        message = f"Invalid value: {error.status.message}"
        cause = StatusCause(reason="FieldValueInvalid", message=message, field="patch")
        raise errors.invalid(request.cls, request.target.name, [cause]) from error
