"""Bytes of a request → a complete, valid object, or a Failure that names everything that is wrong.

Invariant: what gets past here has only known fields, the right types, all defaults and valid values. Order: form,
unknown fields, types, then (in verbs.py, once the old object is known) defaults and validation.
"""

import re
from typing import Any

import msgspec

from minik8s.api import codec, effects, jsonpatch, unknown, validation
from minik8s.api.meta import DeleteOptions, Object, Preconditions, StatusCause
from minik8s.apiserver import errors, strategy
from minik8s.apiserver.request import Request
from minik8s.apiserver.wire import protobuf, yamltext

JSON = "application/json"
YAML = "application/yaml"
JSON_PATCH = "application/json-patch+json"
VALIDATIONS = ("Strict", "Warn", "Ignore")
POLICIES = ("Foreground", "Background", "Orphan")

_AT = re.compile(r"^(?P<what>.*?)(?: - at `(?:key in )?\$\.?(?P<path>.*)`)?$", re.DOTALL)
_MISSING = re.compile(r"^Object missing required field `(?P<field>.*)`$")


class WrongType(errors.Failure):
    """The document is not of the type that the URL names."""


def document(request: Request) -> dict[str, Any]:
    """The body as plain values: an object, in JSON, YAML or protobuf."""
    given = media_type(request)
    if given == protobuf.MEDIA_TYPE:
        return _from_protobuf(request)
    if given and given not in (JSON, YAML, "*/*"):
        raise errors.unknown_format([JSON, YAML, protobuf.MEDIA_TYPE])
    found = yamltext.from_yaml(request.body) if given == YAML else values(request)
    if not isinstance(found, dict):
        raise errors.bad_request("the object provided is unrecognized (must be a JSON object)")
    return found


def _from_protobuf(request: Request) -> dict[str, Any]:
    try:
        return protobuf.decode(request.body)
    except protobuf.Malformed as error:
        raise errors.bad_request(f"the object provided is not valid protobuf: {error}") from error


def media_type(request: Request) -> str:
    return request.content_type.split(";")[0].strip().lower()


def values(request: Request) -> Any:
    """The body as plain values, whatever they are."""
    try:
        return msgspec.json.decode(request.body)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise errors.bad_request(f"the object provided is not valid JSON: {error}") from error


def decode(request: Request, raw: dict[str, Any]) -> Object:
    """The typed object; checks that it is of the kind and place that the URL names."""
    cls = request.cls
    _check_kind(cls, raw)
    check_unknown(request, cls, raw)
    obj = typed(cls, raw)
    obj.apiVersion, obj.kind = cls.resource.apiVersion, cls.resource.kind
    _check_place(request, obj)
    return obj


def _check_kind(cls: type[Object], raw: dict[str, Any]) -> None:
    where = cls.resource
    for field, expected in (("apiVersion", where.apiVersion), ("kind", where.kind)):
        given = raw.get(field)
        if given and given != expected:
            raise errors.bad_request(
                f"the {field} in the data ({given}) does not match the expected {field} ({expected})"
            )


def _check_place(request: Request, obj: Object) -> None:
    target, meta = request.target, obj.metadata
    if target.namespace:
        if meta.namespace and meta.namespace != target.namespace:
            raise errors.bad_request(
                "the namespace of the provided object does not match the namespace sent on the request"
            )
        meta.namespace = target.namespace
    else:
        meta.namespace = ""
    if target.name:
        if meta.name and meta.name != target.name:
            message = f"the name of the object ({meta.name}) does not match the name on the URL ({target.name})"
            raise errors.bad_request(message)
        meta.name = target.name


def check_unknown(request: Request, cls: type[Object], raw: dict[str, Any]) -> None:
    """Strict refuses, Warn warns (the default), Ignore is silent; each names or drops all fields that nobody reads."""
    mode = request.query.get("fieldValidation") or "Warn"
    if mode not in VALIDATIONS:
        cause = StatusCause(
            reason="FieldValueNotSupported",
            message=f'Unsupported value: "{mode}": supported values: "Ignore", "Strict", "Warn"',
            field="fieldValidation",
        )
        raise errors.invalid_options(request.verb, [cause])
    if mode == "Ignore":
        return
    texts = [f'unknown field "{each}"' for each in unknown.unknown_fields(cls, raw)]
    # Of a patch in several turns each says it again; of the client's own words it is said once.
    texts += _in_words(request)
    if mode == "Warn":
        request.warnings.extend(text for text in texts if text not in request.warnings)
    elif texts:
        raise errors.unusable(cls, f"strict decoding error: {', '.join(texts)}")


def _in_words(request: Request) -> list[str]:
    """What is wrong with the client's own words, which of a patch are not the object's."""
    twice = [f'duplicate field "{each}"' for each in _given_twice(request)]
    if media_type(request) != JSON_PATCH:
        return twice
    extra = jsonpatch.unknown_members(values(request))
    return [f"json patch {each}" for each in (*twice, *(f'unknown field "{each}"' for each in extra))]


def _given_twice(request: Request) -> list[str]:
    if media_type(request) == protobuf.MEDIA_TYPE:
        return []  # there the last one counts, and nobody writes such bodies by hand
    try:
        return unknown.duplicate_fields(request.body)
    except (ValueError, RecursionError) as error:
        if media_type(request).endswith("yaml"):
            return yamltext.given_twice(request.body)
        raise errors.bad_request(f"the object provided is not valid JSON: {error}") from error


def typed(cls: type[Any], raw: dict[str, Any]) -> Any:
    """Plain values → type. A wrong type is a 400 with its path; a missing field is a 422, as validation says it."""
    try:
        return codec.from_dict(cls, raw)
    except msgspec.ValidationError as error:
        found = _AT.match(str(error))
        what, path = (found["what"], found["path"] or "") if found else (str(error), "")
        missing = _MISSING.match(what)
        if missing and issubclass(cls, Object):
            place = f"{path}.{missing['field']}" if path else missing["field"]
            name = str((raw.get("metadata") or {}).get("name", ""))
            cause = StatusCause(reason="FieldValueRequired", message="Required value", field=place)
            raise errors.invalid(cls, name, [cause]) from error
        text = f"{path or 'the object'}: {what[:1].lower()}{what[1:]}"
        raise _wrong_type(cls, text) from error


def _wrong_type(cls: type[Any], text: str) -> errors.Failure:
    failure = errors.unusable(cls, text) if issubclass(cls, Object) else errors.bad_request(text)
    return WrongType(failure.code, failure.status.reason, failure.status.message)


def warn(request: Request, new: Object, old: Object | None = None) -> None:
    """Tell of fields that do nothing here: each once, and not again of those that stood there before."""
    texts = effects.without_effect(new)
    known = {*request.warnings, *(effects.without_effect(old) if texts and old is not None else ())}
    request.warnings.extend(text for text in texts if text not in known)


def check(new: Object, old: Object | None) -> None:
    """Name all that is wrong at once."""
    causes = strategy.check_metadata(new, old) + validation.validate(new, old)
    if causes:
        raise errors.invalid(type(new), new.metadata.name, causes)


def delete_options(request: Request) -> DeleteOptions:
    """Options come in the body (kubectl) or in the query (Python clients); the body counts more."""
    options = DeleteOptions()
    if request.body.strip():
        options = typed(DeleteOptions, document(request))
    query = request.query
    if options.gracePeriodSeconds is None and "gracePeriodSeconds" in query:
        options.gracePeriodSeconds = whole(query["gracePeriodSeconds"], "gracePeriodSeconds")
    if options.propagationPolicy is None:
        options.propagationPolicy = query.get("propagationPolicy") or None
    if options.propagationPolicy is not None:
        _check_policy(request, options)
    if "uid" in query or "resourceVersion" in query:
        options.preconditions = options.preconditions or Preconditions(
            uid=query.get("uid") or None, resourceVersion=query.get("resourceVersion") or None
        )
    return options


def _check_policy(request: Request, options: DeleteOptions) -> None:
    policy = options.propagationPolicy
    if options.orphanDependents is not None:
        reason = "FieldValueInvalid"
        message = f'Invalid value: "{policy}": orphanDependents and deletionPropagation cannot be both set'
    elif policy not in POLICIES:
        reason, known = "FieldValueNotSupported", ", ".join(f'"{each}"' for each in POLICIES)
        message = f'Unsupported value: "{policy}": supported values: {known}'
    else:
        return
    cause = StatusCause(reason=reason, message=message, field="propagationPolicy")
    raise errors.invalid_options(request.verb, [cause])


WHOLE = re.compile("-?[0-9]{1,19}")  # 64 bits hold no more; and not everything that int() takes for digits


def whole(text: str, name: str) -> int:
    """A whole number of the query."""
    if not WHOLE.fullmatch(text):
        raise errors.bad_request(f"invalid {name}: {text!r} is not a whole number")
    return int(text)
