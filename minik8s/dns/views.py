"""Objects reduced to what DNS needs of them: the words that the reader hands to the server.

A view says what an object means now, never what changed: taking it in twice does no harm, and who missed one is right
again with the next. A list of a kind stands between Lists and Listed, and what it does not name is no more. Views are
values and are never changed. Each is MessagePack, on the wire between the two processes and where the server keeps it.

Read next: index.py, which keeps them.
"""

from collections.abc import Iterator

import msgspec

from minik8s.api.core import Namespace, Pod, Service
from minik8s.api.discovery import SERVICE_NAME, EndpointSlice
from minik8s.api.meta import Object
from minik8s.dns.addresses import dashed, packed

ServiceKey = tuple[str, str]  # namespace, name
LENGTH = 4  # bytes that say how long a view is on the wire


class View(msgspec.Struct, frozen=True, array_like=True, tag=True, gc=False):
    """What every view tells of its object. Its tag is the object's kind."""

    namespace: str
    name: str
    revision: str

    @property
    def kind(self) -> str:
        return str(self.__struct_config__.tag)

    @property
    def place(self) -> str:
        """The object among those of its kind."""
        return f"{self.namespace}/{self.name}"


class Port(msgspec.Struct, frozen=True, array_like=True, gc=False):
    name: str
    protocol: str  # as in DNS names: tcp, udp, sctp
    number: int


class EndpointView(msgspec.Struct, frozen=True, array_like=True, gc=False):
    hostname: str
    address: bytes

    @property
    def name(self) -> str:
        """The first label of the endpoint's own name."""
        return self.hostname or dashed(self.address)


class ServiceView(View, frozen=True, array_like=True, tag="Service", gc=False):
    headless: bool
    external: str | None  # the name that an ExternalName Service stands for
    addresses: tuple[bytes, ...]
    ports: tuple[Port, ...]

    @property
    def key(self) -> ServiceKey:
        return self.namespace, self.name


class SliceView(View, frozen=True, array_like=True, tag="EndpointSlice", gc=False):
    """A slice's ports, and the endpoints that are ready."""

    service: str  # the Service it belongs to, in its own namespace; "" when it belongs to none
    ports: tuple[Port, ...]
    endpoints: tuple[EndpointView, ...]

    @property
    def key(self) -> ServiceKey:
        return self.namespace, self.service


class NamespaceView(View, frozen=True, array_like=True, tag="Namespace", gc=False):
    """That it exists is all."""


class PodView(View, frozen=True, array_like=True, tag="Pod", gc=False):
    addresses: tuple[bytes, ...]


class Gone(View, frozen=True, array_like=True, tag=True, gc=False):
    """An object is no more."""

    of: str  # its kind

    @property
    def kind(self) -> str:
        return self.of


class Lists(msgspec.Struct, frozen=True, array_like=True, tag=True, gc=False):
    """What follows is all there is of a kind, until `Listed`."""

    kind: str


class Listed(msgspec.Struct, frozen=True, array_like=True, tag=True, gc=False):
    """What has not been named since `Lists` is no more."""

    kind: str


class Synced(msgspec.Struct, frozen=True, array_like=True, tag=True, gc=False):
    """Every kind was listed once: from now on a miss is a miss."""


Word = ServiceView | SliceView | NamespaceView | PodView | Gone | Lists | Listed | Synced


# --- From objects -----------------------------------------------------------------------------------------------------


def view(obj: Object) -> Word:
    """The view of an object."""
    match obj:
        case Service():
            return view_service(obj)
        case EndpointSlice():
            return view_slice(obj)
        case Pod():
            return view_pod(obj)
        case Namespace():
            return NamespaceView("", obj.metadata.name, obj.metadata.resourceVersion)
    raise TypeError(f"no name comes from a {obj.resource.kind}")


def gone(obj: Object) -> Gone:
    meta = obj.metadata
    return Gone(meta.namespace, meta.name, meta.resourceVersion, obj.resource.kind)


def view_service(service: Service) -> ServiceView:
    spec, meta = service.spec, service.metadata
    given = spec.clusterIPs or [spec.clusterIP]
    external = spec.externalName.lower().rstrip(".") if spec.type == "ExternalName" else None
    return ServiceView(
        namespace=meta.namespace,
        name=meta.name,
        revision=meta.resourceVersion,
        headless=external is None and "None" in given,
        external=external,
        addresses=() if external is not None else _packed(given),
        ports=tuple(Port(p.name, p.protocol.lower(), p.port) for p in spec.ports),
    )


def view_slice(piece: EndpointSlice) -> SliceView:
    """Unset `ready` counts as ready: nobody said otherwise."""
    meta = piece.metadata
    ports = tuple(Port(p.name or "", (p.protocol or "TCP").lower(), p.port) for p in piece.ports if p.port is not None)
    endpoints = []
    for endpoint in piece.endpoints:
        if endpoint.conditions.ready is False:
            continue
        for text in endpoint.addresses:
            address = packed(text)
            if address is not None:
                endpoints.append(EndpointView((endpoint.hostname or "").lower(), address))
    service = meta.labels.get(SERVICE_NAME, "")
    return SliceView(meta.namespace, meta.name, meta.resourceVersion, service, ports, tuple(endpoints))


def view_pod(pod: Pod) -> PodView:
    """A Pod that has ended has given its addresses back."""
    meta, status = pod.metadata, pod.status
    given = [status.podIP, *(each.ip for each in status.podIPs)] if status.phase not in ("Succeeded", "Failed") else []
    return PodView(meta.namespace, meta.name, meta.resourceVersion, tuple(dict.fromkeys(_packed(given))))


def _packed(given: list[str]) -> tuple[bytes, ...]:
    return tuple(address for address in map(packed, given) if address is not None)


# --- On the wire ------------------------------------------------------------------------------------------------------

_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Word)
_views = msgspec.msgpack.Decoder(ServiceView | SliceView | NamespaceView | PodView)


def pack(word: Word | View) -> bytes:
    return _encoder.encode(word)


def read(body: bytes) -> View:
    """A view, of a word that is one."""
    return _views.decode(body)


def encode(word: Word) -> bytes:
    body = pack(word)
    return len(body).to_bytes(LENGTH, "big") + body


def decode(inbox: bytearray, most: int) -> Iterator[Word]:
    """Take whole words out of what was received, `most` at a time."""
    at = 0
    try:
        for _ in range(most):
            start = at + LENGTH
            end = start + int.from_bytes(inbox[at:start], "big")
            if len(inbox) < start or len(inbox) < end:
                return
            at = end
            yield _decoder.decode(bytes(inbox[start:end]))
    finally:
        del inbox[:at]
