"""The `proxy` of Pods and Services: who is meant, what they are asked, and what is changed in their answer. Pure.

`services/https:web:443/proxy/a?b` asks an endpoint of the Service `web` for `/a?b`. The path goes on as it was written,
percent signs and all. What the answer says of its own place (a redirect, the links of a page) is turned into what is
true for the client, whose path begins earlier. Invariant: a Pod is asked at an address that is a Pod's; never at a
loopback or link-local one, which would be the node's own. Read next: relay.py, streaming.py.
"""

import ipaddress
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from minik8s.api.core import EndpointAddress, Endpoints, Service
from minik8s.api.pods import Pod
from minik8s.apiserver import errors
from minik8s.apiserver.relaying.streaming import HOP_BY_HOP, Manners, Place, Question

_PATH = re.compile(
    r"^(?P<prefix>/*api/v1/(?:namespaces/[^/?]+/\w+|nodes)/[^/?]+/proxy)(?P<rest>[^?]*)\??(?P<query>.*)$"
)
# Not for the program behind: what belongs to this connection, and the client's credentials.
_OURS = (*HOP_BY_HOP, "host", "authorization", "content-length", "expect")
_LINK = re.compile(
    rb"""(<[a-z]+\b[^<>]*?\s(?:href|src|action|formaction|background|cite|data|poster|manifest|codebase)\s*=\s*["'])"""
    rb"""(/(?!/)[^"'<>]*)""",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Meant:
    """`scheme:name:port`, of which only the name must be there."""

    scheme: str
    name: str
    port: str


def meant(text: str, what: str) -> Meant:
    """Take the name in a path apart; `what` is the kind, for the refusal."""
    parts = text.split(":")
    scheme, name, port = {1: ["", *parts, ""], 2: ["", *parts], 3: parts}.get(len(parts), ["", "", ""])
    if not name or scheme not in ("", "http", "https"):
        raise errors.bad_request(f'invalid {what} request "{text}"')
    return Meant(scheme or "http", name, port)


# --- Who is asked -----------------------------------------------------------------------------------------------------


def of_pod(pod: Pod, wanted: Meant) -> Place:
    ports = [port.containerPort for container in pod.spec.containers for port in container.ports]
    port = wanted.port or str(ports[0] if ports else 80)
    if not port.isdigit():
        raise errors.bad_request(f'invalid pod request: "{port}" is not the number of a port')
    if not pod.status.podIP:
        raise errors.bad_request(f"pod {pod.metadata.name} does not have an address yet")
    return Place(wanted.scheme, _outside(pod.status.podIP, pod.spec.hostNetwork), int(port))


def of_service(
    service: Service, endpoints: Endpoints | None, wanted: Meant, chance: float
) -> tuple[Place, EndpointAddress]:
    """One of the ready endpoints; `chance`, from 0 to 1, says which."""
    name = _port_name(service, wanted.port)
    found = [
        (address, port.port)
        for subset in (endpoints.subsets if endpoints else [])
        for port in subset.ports
        if port.name == name
        for address in subset.addresses
    ]
    if not found:
        raise errors.unavailable(f'no endpoints available for service "{service.metadata.name}"')
    address, number = found[int(chance * len(found)) % len(found)]
    return Place(wanted.scheme, _outside(address.ip), number), address


def _port_name(service: Service, asked: str) -> str:
    ports = service.spec.ports
    if not asked and len(ports) == 1:
        return ports[0].name
    for port in ports:
        if asked and asked in (port.name, str(port.port)):
            return port.name
    raise errors.unavailable(f'no service port "{asked}" found for service "{service.metadata.name}"')


def _outside(text: str, on_node: bool = False) -> str:
    address = ipaddress.ip_address(text)
    if not on_node and (address.is_loopback or address.is_link_local or address.is_unspecified):
        raise errors.bad_request("address not allowed")
    return text


# --- What they are asked ----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Path:
    """A request's path: what leads to the subresource, and what is behind it."""

    prefix: str
    rest: str
    query: str


def path_of(environ: Mapping[str, Any]) -> Path:
    """From the request line as the client wrote it."""
    found = _PATH.match(str(environ.get("RAW_URI", "")))
    if found is None:
        raise errors.no_such_path()
    return Path(found["prefix"], found["rest"], found["query"])


def question(environ: Mapping[str, Any], path: Path, place: Place, body: bytes) -> Question:
    """The client's request, for the program behind."""
    headers = {"Host": place.netloc, **headers_of(environ)}
    if environ.get("HTTP_UPGRADE"):
        headers |= {"Connection": "Upgrade", "Upgrade": environ["HTTP_UPGRADE"]}
    else:
        headers["Connection"] = "close"
    target = (path.rest or "/") + (f"?{path.query}" if path.query else "")
    return Question(target, environ.get("REQUEST_METHOD", "GET"), headers, body)


def headers_of(environ: Mapping[str, Any]) -> dict[str, str]:
    """The request's headers that are meant for whoever answers in the end."""
    named = {key.removeprefix("HTTP_"): value for key, value in environ.items() if key.startswith("HTTP_")}
    if environ.get("CONTENT_TYPE"):
        named["CONTENT_TYPE"] = environ["CONTENT_TYPE"]
    titled = {"-".join(word.capitalize() for word in name.split("_")): value for name, value in named.items()}
    return {name: value for name, value in titled.items() if name.lower() not in _OURS}


# --- What is changed in the answer ------------------------------------------------------------------------------------


def manners(path: Path, place: Place) -> Manners:
    """Redirects and links within the same program lead through the proxy again."""

    def header(name: str, value: str) -> str:
        return located(value, path.prefix, place) if name.lower() == "location" else value

    def body(kind: str, text: bytes) -> bytes:
        if not kind.lower().startswith("text/html"):
            return text
        return _LINK.sub(lambda found: found[1] + path.prefix.encode() + found[2], text)

    return Manners(header, body)


def located(location: str, prefix: str, place: Place) -> str:
    """A redirect's target, if it is the program's own."""
    parts = urlsplit(location)
    if parts.netloc not in ("", place.netloc) or not parts.path.startswith("/"):
        return location
    return urlunsplit(("", "", prefix + parts.path, parts.query, parts.fragment))


def slash(environ: Mapping[str, Any], path: Path) -> Sequence[tuple[str, str]] | None:
    """Links in a page are relative to a path that ends with a slash: where there is none, the client comes again."""
    if path.rest or environ.get("REQUEST_METHOD") not in ("GET", "HEAD") or environ.get("HTTP_UPGRADE"):
        return None
    return [("Location", path.prefix + "/" + (f"?{path.query}" if path.query else ""))]
