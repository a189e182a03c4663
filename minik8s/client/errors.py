"""What can go wrong with a request, one class for each answer that callers treat differently.

Source: the `reason`s of Kubernetes' Status.
"""

import msgspec

from minik8s.api import codec
from minik8s.api.meta import Status


class Unreachable(Exception):
    """No answer: refused, reset, timed out. Whether a write took place is unknown."""


class ApiError(Exception):
    """The API server said no. `status` is its whole answer."""

    def __init__(self, status: Status) -> None:
        super().__init__(status.message or status.reason or f"HTTP {status.code}")
        self.status = status

    @property
    def code(self) -> int:
        return self.status.code

    @property
    def reason(self) -> str:
        return self.status.reason


class NotFound(ApiError):
    """404."""


class Conflict(ApiError):
    """409: the object changed since it was read."""


class AlreadyExists(ApiError):
    """409: the name is taken."""


class Gone(ApiError):
    """410: that revision is no longer kept; list again."""


class Invalid(ApiError):
    """422: fields are wrong; `status.details.causes` names them."""


_BY_REASON: dict[str, type[ApiError]] = {
    "NotFound": NotFound,
    "Conflict": Conflict,
    "AlreadyExists": AlreadyExists,
    "Expired": Gone,
    "Gone": Gone,
    "Invalid": Invalid,
}
_BY_CODE: dict[int, type[ApiError]] = {404: NotFound, 409: Conflict, 410: Gone, 422: Invalid}


def from_status(status: Status) -> ApiError:
    """The error of that class which its reason, else its code, names."""
    return _BY_REASON.get(status.reason, _BY_CODE.get(status.code, ApiError))(status)


def from_body(code: int, body: bytes) -> ApiError:
    """The error a failed request's body tells of; the text itself when it is no Status."""
    try:
        status = codec.decode(Status, body)
    except (msgspec.DecodeError, msgspec.ValidationError):
        status = Status(message=body.decode(errors="replace").strip() or f"HTTP {code}")
    status.code = status.code or code
    return from_status(status)
