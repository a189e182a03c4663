"""The roles and bindings as they are now, ready to judge by.

They change rarely, so a change of any only says that all are to be read again by the next who asks. Invariants: what is
judged by is never changed, only replaced as a whole (so that what was decided by it can be remembered beside it); a
right that was given a moment ago counts at once, since a no is said only after a look at etcd's revision. `_lock` lets
one thread read anew, while the others wait; `_told` is the watch cache's to write. Read `rbac.py` for how a request is
judged.
"""

import threading
from collections.abc import Iterable, Iterator, Sequence

from minik8s import params
from minik8s.api import codec
from minik8s.api.meta import Object
from minik8s.api.rbac import GROUP, ClusterRole, ClusterRoleBinding, Role, RoleBinding
from minik8s.apiserver import errors
from minik8s.apiserver.auth.authn import User
from minik8s.apiserver.auth.authz import Ask, Rights, Uses
from minik8s.apiserver.auth.rbac import Policies
from minik8s.apiserver.registry import Registry, prefix_of
from minik8s.store.ring import Change

KINDS: tuple[type[Object], ...] = (Role, RoleBinding, ClusterRole, ClusterRoleBinding)
PREFIX = f"{params.REGISTRY_PREFIX}{GROUP}/"


class Authorizer:
    """Judges by the newest roles and bindings. Thread-safe."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._lock = threading.Lock()
        self._told, self._read = 1, 0  # how many changes were told of, and up to which of them we have read
        self._rights = Rights()
        registry.cache.listen(self)

    def allowed(self, ask: Ask, uses: Uses | None = None) -> str | None:
        """None: yes. Otherwise why not, possibly without words."""
        before = self.current()
        reason = before.allowed(ask, uses)
        if reason is None or not self._newer_than(before, ask.user):
            return reason
        return self._rights.allowed(ask, uses)

    def path_allowed(self, user: User, verb: str, path: str) -> bool:
        """Whether a path that is no object may be used."""
        before = self.current()
        if before.path_allowed(user, verb, path):
            return True
        return self._newer_than(before, user) and self._rights.path_allowed(user, verb, path)

    @property
    def policies(self) -> Policies:
        return self.current().policies

    def current(self) -> Rights:
        """What everybody may do as of now."""
        if self._read != self._told:
            with self._lock:
                if self._read != self._told:
                    told = self._told  # what changes while we read is read again
                    self._rights, self._read = Rights(policies_of(self._objects())), told
        return self._rights

    def _objects(self) -> Iterator[Object]:
        for cls in KINDS:
            found, _ = self._registry.cache.list(prefix_of(cls))
            yield from (codec.decode(cls, value) for value in found)

    # --- what the watch cache tells: see store.cache.Feed -----------------------------------------------------

    def changed(self, changes: Sequence[Change], revision: int) -> None:
        if any(change.key.startswith(PREFIX) for change in changes):
            self._told += 1

    def lost(self, revision: int) -> None:
        self._told += 1

    # ----------------------------------------------------------------------------------------------------------

    def _newer_than(self, known: Rights, user: User) -> bool:
        """Did anything change meanwhile? Not asked for somebody unknown, who is to cost us nothing."""
        if user.anonymous:
            return False
        try:
            self._registry.wait_fresh()
        except errors.Failure:
            return False  # a no stays a no when etcd is away
        return self.current() is not known


def policies_of(objects: Iterable[Object]) -> Policies:
    roles, everywhere, within = {}, [], dict[str, tuple[RoleBinding, ...]]()
    for obj in objects:
        if isinstance(obj, Role | ClusterRole):
            roles[obj.metadata.namespace, obj.metadata.name] = obj
        elif isinstance(obj, ClusterRoleBinding):
            everywhere.append(obj)
        elif isinstance(obj, RoleBinding):
            namespace = obj.metadata.namespace
            within[namespace] = (*within.get(namespace, ()), obj)
    return Policies(roles, tuple(everywhere), within)
