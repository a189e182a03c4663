"""Three indexes over the views: Services by name, slices by Service, and who owns an address.

What must hold: an event of one kind never waits for one of another (a slice may come before its Service); when a
slice's label names another Service, both the old and the new one have changed; taking a view in twice is taking it in
once.

Read next: plan.py, which resolves names over these.
"""

from dataclasses import dataclass, field

from minik8s.dns.views import EndpointView, Gone, NamespaceView, PodView, ServiceKey, ServiceView, SliceView, Word


@dataclass
class Index:
    """All that DNS knows. Owned by the server's loop; nobody else touches it."""

    services: dict[ServiceKey, ServiceView] = field(default_factory=dict)
    slices: dict[ServiceKey, dict[str, SliceView]] = field(default_factory=dict)
    slices_by_name: dict[tuple[str, str], SliceView] = field(default_factory=dict)
    owners: dict[bytes, dict[ServiceKey, int]] = field(default_factory=dict)  # address → Service → how often it has it
    # How many of these addresses begin with some bytes, by their length: what exists above a name of a reverse tree.
    prefixes: dict[int, dict[bytes, int]] = field(default_factory=lambda: {4: {}, 16: {}})
    namespaces: dict[str, NamespaceView] = field(default_factory=dict)
    pods: dict[tuple[str, str], PodView] = field(default_factory=dict)  # verified mode only, as the next
    pod_addresses: dict[tuple[str, bytes], int] = field(default_factory=dict)  # (namespace, address) → how many Pods
    serial: int = 1

    def services_of(self, word: Word) -> set[ServiceKey]:
        """The Services whose names a word has a say in, now or until now."""
        match word:
            case ServiceView() | Gone(kind="Service"):
                return {(word.namespace, word.name)}
            case SliceView() | Gone(kind="EndpointSlice"):
                pieces = (self.slices_by_name.get((word.namespace, word.name)), word)
                return {piece.key for piece in pieces if isinstance(piece, SliceView) and piece.service}
        return set()

    def take(self, word: Word) -> None:
        """Take in what an object means from now on."""
        match word:
            case ServiceView():
                self._set_service(word.key, word)
            case SliceView():
                self._set_slice((word.namespace, word.name), word if word.service else None)
            case NamespaceView():
                self.namespaces[word.name] = word
            case PodView():
                self._set_pod((word.namespace, word.name), word)
            case Gone():
                self._forget(word)

    def ready(self, service: ServiceKey) -> list[tuple[EndpointView, SliceView]]:
        """The ready endpoints of a Service, each with its slice, in the order of the slices' names."""
        pieces = self.slices.get(service, {})
        return [(endpoint, pieces[name]) for name in sorted(pieces) for endpoint in pieces[name].endpoints]

    def _forget(self, gone: Gone) -> None:
        key = (gone.namespace, gone.name)
        match gone.kind:
            case "Service":
                self._set_service(key, None)
            case "EndpointSlice":
                self._set_slice(key, None)
            case "Namespace":
                self.namespaces.pop(gone.name, None)
            case "Pod":
                self._set_pod(key, None)

    def _set_service(self, key: ServiceKey, new: ServiceView | None) -> None:
        old = self.services.pop(key, None)
        if old is not None:
            self._disown(key, old.addresses)
        if new is not None:
            self.services[key] = new
            self._own(key, new.addresses)

    def _set_slice(self, key: tuple[str, str], new: SliceView | None) -> None:
        old = self.slices_by_name.pop(key, None)
        if old is not None:
            self._disown(old.key, tuple(each.address for each in old.endpoints))
            pieces = self.slices[old.key]
            del pieces[old.name]
            if not pieces:
                del self.slices[old.key]
        if new is not None:
            self.slices_by_name[key] = new
            self.slices.setdefault(new.key, {})[new.name] = new
            self._own(new.key, tuple(each.address for each in new.endpoints))

    def _set_pod(self, key: tuple[str, str], new: PodView | None) -> None:
        for pod, step in ((self.pods.pop(key, None), -1), (new, 1)):
            for address in pod.addresses if pod is not None else ():
                place = (key[0], address)
                self.pod_addresses[place] = self.pod_addresses.get(place, 0) + step
                if not self.pod_addresses[place]:
                    del self.pod_addresses[place]
        if new is not None:
            self.pods[key] = new

    def begins(self, start: bytes, half: bool, size: int) -> bool:
        """Does an address of this size begin so? `half`: only the high bits of the last byte are meant."""
        known = self.prefixes[size]
        if not half:
            return start in known
        whole = self.owners if len(start) == size else known
        return any(start[:-1] + bytes((start[-1] | low,)) in whole for low in range(16))

    def _own(self, service: ServiceKey, addresses: tuple[bytes, ...]) -> None:
        for address in addresses:
            owners = self.owners.get(address)
            if owners is None:
                owners = self.owners[address] = {}
                self._count(address, 1)
            owners[service] = owners.get(service, 0) + 1

    def _disown(self, service: ServiceKey, addresses: tuple[bytes, ...]) -> None:
        for address in addresses:
            owners = self.owners[address]
            owners[service] -= 1
            if not owners[service]:
                del owners[service]
            if not owners:
                del self.owners[address]
                self._count(address, -1)

    def _count(self, address: bytes, step: int) -> None:
        known = self.prefixes[len(address)]
        for end in range(len(address)):
            start = address[:end]
            known[start] = known.get(start, 0) + step
            if not known[start]:
                del known[start]
