"""Who is written down as the author of a write, and whether the request may name itself so. Pure but for the clock.

Without a `fieldManager` in the query it is the program: the User-Agent up to its first slash, as upstream has it.
Read `api/ownership/` for what it is good for.
"""

from minik8s.api import times
from minik8s.api.meta import StatusCause
from minik8s.api.ownership.recorded import Author
from minik8s.apiserver import errors
from minik8s.apiserver.request import Request
from minik8s.host import clock

MAX_NAME = 128
NAMELESS = "unknown"


def author(request: Request) -> Author:
    name = request.query.get("fieldManager") or _program(request.user_agent) or NAMELESS
    return Author(name, times.rfc3339(clock.wall()), request.target.subresource)


def _program(user_agent: str) -> str:
    text = "".join(each for each in user_agent.split("/")[0] if each.isprintable())
    return text[:MAX_NAME]


def check(request: Request, apply: bool = False) -> None:
    """Refuse a name that is none, and parameters that belong to an apply alone."""
    given = request.query.get("fieldManager", "")
    causes = []
    if len(given.encode()) > MAX_NAME:
        message = f"Too long: may not be more than {MAX_NAME} bytes"
        causes.append(StatusCause(reason="FieldValueTooLong", message=message, field="fieldManager"))
    elif not given.isprintable():
        message = f"Invalid value: {given!r}: should only contain printable characters"
        causes.append(StatusCause(reason="FieldValueInvalid", message=message, field="fieldManager"))
    if apply and not given:
        message = "Required value: is required for apply patch"
        causes.append(StatusCause(reason="FieldValueRequired", message=message, field="fieldManager"))
    if not apply and request.verb == "patch" and "force" in request.query:
        message = "Forbidden: may not be specified for non-apply patch"
        causes.append(StatusCause(reason="FieldValueForbidden", message=message, field="force"))
    if causes:
        raise errors.invalid_options(request.verb, causes)
