"""A kind that is another kind's second face: a request about an events.k8s.io Event becomes one about the core Event.

`inward` turns the request: kind, body and field selector; `forms.Face` turns back what is answered. In between nobody
knows of two faces, and there is one stored object. Invariants: what is written by one face is read by the other; rights
are asked in the group that the client named. Read `api/events.py` for which field is which.
"""

import dataclasses
from collections.abc import Mapping
from typing import Any

from minik8s.api import codec, core, events
from minik8s.api.meta import Object
from minik8s.apiserver import admission
from minik8s.apiserver.request import Request
from minik8s.apiserver.wire import yamltext

# Face → the kind that is stored.
STORED: Mapping[type[Object], type[Object]] = {events.Event: core.Event}
JSON_PATCH = "application/json-patch+json"
APPLY_PATCH = "application/apply-patch+yaml"


def inward(request: Request) -> Request:
    """The same request about the kind that is stored; any other request as it is."""
    stored = STORED.get(request.cls)
    if stored is None:
        return request
    target = dataclasses.replace(request.target, cls=stored)
    body, content_type = _body(request)
    query = {**request.query}
    for shown, name in events.RENAMED.items() if "fieldSelector" in query else ():
        query["fieldSelector"] = query["fieldSelector"].replace(shown, name)
    return dataclasses.replace(
        request, target=target, body=body, content_type=content_type, query=query, face=request.cls
    )


def _body(request: Request) -> tuple[bytes, str]:
    """What is written, with the stored kind's names. A deletion's options have none."""
    given = admission.media_type(request)
    if request.verb not in ("create", "update", "patch"):
        return request.body, request.content_type
    if request.verb == "patch" and given == JSON_PATCH:
        return codec.encode(_steps(admission.values(request))), request.content_type
    if given == APPLY_PATCH:
        return codec.encode(events.stored_form(yamltext.from_yaml(request.body))), request.content_type
    if request.verb == "patch":
        return codec.encode(events.stored_form(admission.values(request))), request.content_type
    return codec.encode(events.stored_form(admission.document(request))), admission.JSON


def _steps(steps: Any) -> Any:
    """A JSON patch names fields in its paths."""
    if not isinstance(steps, list):
        return steps
    return [{**each, **_paths(each)} if isinstance(each, dict) else each for each in steps]


def _paths(step: dict[str, Any]) -> dict[str, str]:
    return {name: _renamed_path(step[name]) for name in ("path", "from") if isinstance(step.get(name), str)}


def _renamed_path(path: str) -> str:
    """`/note` → `/message`; only the first part can be one of ours."""
    first, slash, rest = path[1:].partition("/")
    return path[:1] + events.RENAMED.get(first, first) + slash + rest
