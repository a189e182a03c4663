"""The vocabulary of validation: the kinds of mistake, and the shapes of names, in Kubernetes' wording.

Source: apimachinery's field errors and validation helpers; RFC 1123 and RFC 1035 for names.
"""

import ipaddress
import re
from collections.abc import Iterable
from typing import Any

import msgspec

from minik8s.api.meta import StatusCause

LABEL = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
LABEL_1035 = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?")
SUBDOMAIN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
QUALIFIED = re.compile(r"([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]")
ENV_NAME = re.compile(r"[-._a-zA-Z][-._a-zA-Z0-9]*")
KEY = re.compile(r"[-._a-zA-Z0-9]+")

LABEL_MESSAGE = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with "
    "an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is "
    "'[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
)
LABEL_1035_MESSAGE = (
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, "
    "and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is "
    "'[a-z]([-a-z0-9]*[a-z0-9])?')"
)
SUBDOMAIN_MESSAGE = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and "
    "end with an alphanumeric character (e.g. 'example.com', regex used for validation is "
    r"'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
)


class Problems:
    """Collects causes. Its methods are the kinds of mistake that field errors know."""

    def __init__(self) -> None:
        self.causes: list[StatusCause] = []

    def _add(self, reason: str, field: str, message: str) -> None:
        self.causes.append(StatusCause(reason=reason, field=field, message=message))

    def required(self, field: str, detail: str = "") -> None:
        self._add("FieldValueRequired", field, f"Required value{': ' + detail if detail else ''}")

    def invalid(self, field: str, value: Any, detail: str) -> None:
        self._add("FieldValueInvalid", field, f"Invalid value: {_shown(value)}: {detail}")

    def unsupported(self, field: str, value: Any, allowed: Iterable[str]) -> None:
        known = ", ".join(f'"{each}"' for each in allowed)
        self._add("FieldValueNotSupported", field, f"Unsupported value: {_shown(value)}: supported values: {known}")

    def duplicate(self, field: str, value: Any) -> None:
        self._add("FieldValueDuplicate", field, f"Duplicate value: {_shown(value)}")

    def forbidden(self, field: str, detail: str) -> None:
        self._add("FieldValueForbidden", field, f"Forbidden: {detail}")

    def not_found(self, field: str, value: Any) -> None:
        self._add("FieldValueNotFound", field, f"Not found: {_shown(value)}")

    def too_long(self, field: str, limit: int) -> None:
        self._add("FieldValueTooLong", field, f"Too long: may not be more than {limit} bytes")

    # --- Shapes ------------------------------------------------------------------------------------------------------

    def one_of(self, field: str, value: str, allowed: Iterable[str]) -> bool:
        allowed = tuple(allowed)
        if value not in allowed:
            self.unsupported(field, value, allowed)
        return value in allowed

    def port(self, field: str, value: int) -> None:
        if not 1 <= value <= 65535:
            self.invalid(field, value, "must be between 1 and 65535, inclusive")

    def port_or_name(self, field: str, value: int | str) -> None:
        if isinstance(value, int):
            self.port(field, value)
        else:
            self.port_name(field, value)

    def port_name(self, field: str, value: str) -> None:
        """IANA_SVC_NAME of RFC 6335."""
        if len(value) > 15:
            self.invalid(field, value, "must be no more than 15 characters")
        if not re.fullmatch(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?", value):
            self.invalid(field, value, "must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)")
        elif not re.search("[a-z]", value):
            self.invalid(field, value, "must contain at least one letter (a-z)")

    def label_name(self, field: str, value: str) -> None:
        if len(value) > 63:
            self.invalid(field, value, "must be no more than 63 characters")
        elif not LABEL.fullmatch(value):
            self.invalid(field, value, LABEL_MESSAGE)

    def subdomain(self, field: str, value: str) -> None:
        if len(value) > 253:
            self.invalid(field, value, "must be no more than 253 characters")
        elif not SUBDOMAIN.fullmatch(value):
            self.invalid(field, value, SUBDOMAIN_MESSAGE)

    def path_segment(self, field: str, name: str) -> None:
        """It need only fit into a URL."""
        if name in (".", ".."):
            self.invalid(field, name, f"may not be '{name}'")
        for letter in "/%":
            if letter in name:
                self.invalid(field, name, f"may not contain '{letter}'")

    def address(self, field: str, value: str) -> None:
        if family(value) == 0:
            self.invalid(field, value, "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)")

    def cidr(self, field: str, value: str) -> None:
        try:
            ipaddress.ip_network(value, strict=False)
        except ValueError:
            self.invalid(field, value, "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)")

    def not_negative(self, field: str, value: int | None) -> None:
        if value is not None and value < 0:
            self.invalid(field, value, "must be greater than or equal to 0")

    def immutable(self, field: str, new: Any, old: Any) -> None:
        if new != old:
            self.invalid(field, new, "field is immutable")


def family(address: str) -> int:
    """4 or 6, or 0 when the text is no address."""
    try:
        return ipaddress.ip_address(address).version
    except ValueError:
        return 0


def _shown(value: Any) -> str:
    return msgspec.json.encode(value).decode()
