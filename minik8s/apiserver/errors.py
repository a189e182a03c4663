"""Everything that can go wrong with a request, as the Status that Kubernetes answers.

Invariant: code, reason and message are upstream's, because clients act on them: kubectl on `reason`, informers on the
code, people on the message. Raise one of these anywhere below `http.py`; it alone turns them into a response.
"""

from collections.abc import Iterable

from minik8s.api.meta import Object, Status, StatusCause, StatusDetails


class Failure(Exception):
    """A request that failed, with the Status to answer."""

    def __init__(self, code: int, reason: str, message: str, details: StatusDetails | None = None) -> None:
        super().__init__(message)
        # Details are always there, if empty: kubectl before 1.31 looks into those of a 404 unseen.
        told = details or StatusDetails()
        self.status = Status(status="Failure", code=code, reason=reason, message=message, details=told)

    @property
    def code(self) -> int:
        return self.status.code


def _details(cls: type[Object], name: str) -> StatusDetails:
    return StatusDetails(name=name, group=cls.resource.group, kind=cls.resource.plural)


def bad_request(message: str) -> Failure:
    return Failure(400, "BadRequest", message)


def unusable(cls: type[Object], because: str) -> Failure:
    """The body is no object of this kind."""
    kind = cls.resource.kind
    return bad_request(f'{kind} in version "{cls.resource.version}" cannot be handled as a {kind}: {because}')


def unauthorized() -> Failure:
    return Failure(401, "Unauthorized", "Unauthorized")


def forbidden(cls: type[Object], name: str, because: str) -> Failure:
    message = f'{cls.resource.qualified} "{name}" is forbidden: {because}' if name else because
    if not name:
        message = f"{cls.resource.qualified} is forbidden: {because}"
    return Failure(403, "Forbidden", message, _details(cls, name))


def forbidden_to(user: str, resource: str, group: str, name: str, act: str) -> Failure:
    """For what is no kind of ours, such as users."""
    qualified = f"{resource}.{group}" if group else resource
    message = f'{qualified} "{name}" is forbidden: User "{user}" cannot {act}'
    return Failure(403, "Forbidden", message, StatusDetails(name=name, group=group, kind=resource))


def forbidden_path(path: str, user: str) -> Failure:
    return Failure(403, "Forbidden", f'forbidden: User "{user}" cannot get path "{path}"')


def not_found(cls: type[Object], name: str) -> Failure:
    return Failure(404, "NotFound", f'{cls.resource.qualified} "{name}" not found', _details(cls, name))


def no_such_path() -> Failure:
    return Failure(404, "NotFound", "the server could not find the requested resource")


def method_not_allowed(method: str) -> Failure:
    return Failure(
        405, "MethodNotAllowed", f"the server does not allow this method on the requested resource: {method}"
    )


def already_exists(cls: type[Object], name: str) -> Failure:
    return Failure(409, "AlreadyExists", f'{cls.resource.qualified} "{name}" already exists', _details(cls, name))


def not_acceptable(message: str) -> Failure:
    return Failure(406, "NotAcceptable", message)


def conflict(cls: type[Object], name: str, because: str) -> Failure:
    message = f'Operation cannot be fulfilled on {cls.resource.qualified} "{name}": {because}'
    return Failure(409, "Conflict", message, _details(cls, name))


def modified(cls: type[Object], name: str) -> Failure:
    """Somebody else wrote the object after the client read it."""
    return conflict(
        cls,
        name,
        "the object has been modified; please apply your changes to the latest version and try again",
    )


def apply_conflict(cls: type[Object], name: str, message: str, found: Iterable[tuple[object, str]]) -> Failure:
    """409: an apply would change fields of other managers; each (manager, field) is a cause."""
    details = _details(cls, name)
    details.causes = [
        StatusCause(reason="FieldManagerConflict", message=f"conflict with {manager}", field=path)
        for manager, path in found
    ]
    return Failure(409, "Conflict", message, details)


def expired(message: str, token: str = "") -> Failure:
    """`token`: how a list can go on nevertheless."""
    failure = Failure(410, "Expired", message)
    failure.status.metadata.continue_ = token
    return failure


def request_timeout() -> Failure:
    return Failure(408, "Timeout", "the request was not sent in time")


def uri_too_long(limit: int) -> Failure:
    return Failure(414, "RequestURITooLong", f"the first line of a request may have {limit} bytes")


def head_too_large(limit: int) -> Failure:
    return Failure(431, "RequestHeaderFieldsTooLarge", f"the head of a request may have {limit} bytes and 100 fields")


def too_large(limit: int) -> Failure:
    return Failure(413, "RequestEntityTooLarge", f"Request entity too large: limit is {limit}")


def too_much(message: str) -> Failure:
    return Failure(413, "RequestEntityTooLarge", message)


def unsupported_media_type(message: str) -> Failure:
    return Failure(415, "UnsupportedMediaType", message)


def unknown_format(accepted: Iterable[str]) -> Failure:
    message = "the body of the request was in an unknown format - accepted media types include"
    return unsupported_media_type(f"{message}: {', '.join(accepted)}")


def unprocessable(because: str) -> Failure:
    """A patch that does not fit the object. Upstream keeps the reason to itself."""
    return Failure(422, "Invalid", f"the server rejected our request due to an error in our request: {because}")


def invalid(cls: type[Object], name: str, causes: list[StatusCause]) -> Failure:
    """422: the object is well-formed but says something impossible. All of it is named, not only the first."""
    return _invalid(StatusDetails(name=name, group=cls.resource.group, kind=cls.resource.kind, causes=causes))


def _invalid(details: StatusDetails) -> Failure:
    parts = [f"{cause.field}: {cause.message}" for cause in details.causes]
    body = parts[0] if len(parts) == 1 else "[" + ", ".join(parts) + "]"
    kind = f"{details.kind}.{details.group}" if details.group else details.kind
    return Failure(422, "Invalid", f'{kind} "{details.name}" is invalid: {body}', details)


OPTIONS = {"create": "CreateOptions", "update": "UpdateOptions", "patch": "PatchOptions"}
OPTIONS |= {"list": "ListOptions", "watch": "ListOptions"}


def invalid_options(verb: str, causes: list[StatusCause]) -> Failure:
    """422: a parameter of the query says something that it cannot say, or contradicts another."""
    return _invalid(StatusDetails(group="meta.k8s.io", kind=OPTIONS.get(verb, "DeleteOptions"), causes=causes))


def too_many_requests(message: str) -> Failure:
    return Failure(429, "TooManyRequests", message, StatusDetails(retryAfterSeconds=1))


def internal(message: str) -> Failure:
    return Failure(500, "InternalError", f"Internal error occurred: {message}")


def unavailable(message: str) -> Failure:
    return Failure(503, "ServiceUnavailable", message, StatusDetails(retryAfterSeconds=1))


def too_large_version(asked: int, current: int) -> Failure:
    """A revision that has not happened yet: the client knows more than this server, or has made it up."""
    cause = StatusCause(reason="ResourceVersionTooLarge", message="Too large resource version")
    message = f"Timeout: Too large resource version: {asked}, current: {current}"
    return Failure(504, "Timeout", message, StatusDetails(causes=[cause], retryAfterSeconds=1))


def timeout(message: str) -> Failure:
    return Failure(504, "Timeout", message)
