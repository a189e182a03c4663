"""Create, update, patch, delete: for every kind the same few steps, ending in one guarded transaction.

Read the newest → make the object that shall be → is it allowed, complete, valid? → commit, guarded by what it was
decided on. If somebody else was faster, all of it starts again from the newest; unless the client named the version
it had seen, then it is told (409). Invariants: nothing is written that differs in nothing; a Service's addresses and
ports are claimed and released in the Service's own transaction. Read `registry.py`, `strategy.py`, `allocation.py`,
`deletion.py` for the parts.
"""

from collections.abc import Callable

from minik8s import params
from minik8s.api import codec, defaults, times
from minik8s.api.core import Namespace, Service
from minik8s.api.meta import DeleteOptions, Object, Status, StatusCause, StatusDetails
from minik8s.api.networking import IPAddress
from minik8s.api.ownership.recorded import Author, record
from minik8s.apiserver import admission, authorship, deletion, errors, patches, strategy
from minik8s.apiserver.allocating import addressclaims, allocation, ingresses, services
from minik8s.apiserver.auth import access, accounts
from minik8s.apiserver.registry import Registry, Stored, key_of, put
from minik8s.apiserver.request import Answer, Request, Written
from minik8s.host import clock, sysctl
from minik8s.store.model import Absent, Conflict, Guard, Txn, Unchanged

Change = Callable[[Object], Object]  # a fresh copy of the old object → the object that shall be
SEEDS = 1 << 48  # where a random choice may begin: more than any range has
# Without these three no cluster; upstream's admission plugin NamespaceLifecycle protects the same.
IMMORTAL = ("default", "kube-system", "kube-public")


class Taken:
    """Keys that cannot be claimed: those the cache knows, and those just lost to somebody else."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self.lost: set[str] = set()

    def __contains__(self, key: object) -> bool:
        return key in self.lost or self._registry.cache.get(str(key)) is not None


class Verbs:
    """The writes. Thread-safe: all state is in the store."""

    def __init__(self, registry: Registry) -> None:
        self.registry = registry
        self._families = sysctl.ip_families()  # what Services may have

    # --- create -----------------------------------------------------------------------------------------------

    def create(self, request: Request) -> Answer:
        draft = admission.decode(request, admission.document(request))
        authorship.check(request)
        return self.create_from(request, draft, authorship.author(request))

    def create_from(self, request: Request, draft: Object, author: Author | None) -> Answer:
        admission.warn(request, draft)
        defaults.set_defaults(draft)
        if author is not None:
            record(draft, None, author)  # before the server adds what is its own: nobody can give that up
        ingresses.admit(self.registry, request, draft)
        accounts.admit(self.registry, draft)
        return self.insert(request, draft)

    def insert(self, request: Request, draft: Object) -> Answer:
        """Store a new object. A generated name that is taken is generated anew."""
        if draft.metadata.resourceVersion:
            raise errors.bad_request("resourceVersion should not be set on objects to be created")
        given = draft.metadata.name
        for attempt in range(params.WRITE_ATTEMPTS):
            draft.metadata.name = given
            strategy.prepare_create(draft, strategy.Birth(times.rfc3339(clock.wall()), clock.uid(), clock.suffix()))
            self._complete(draft, None, None)
            access.check(request, None, draft)
            key = key_of(type(draft), draft.metadata.namespace, draft.metadata.name)
            guards = (Absent(key), *self._namespace_guard(draft, fresh=attempt > 0))
            try:
                made, revision = self._commit(request, None, draft, guards)
            except Conflict as conflict:
                if key in conflict.keys and given:
                    raise errors.already_exists(type(draft), given) from conflict
                continue
            return _answer(201, made, revision)
        raise errors.conflict(request.cls, given, "no free name was found, or its namespace keeps changing")

    def _namespace_guard(self, obj: Object, fresh: bool) -> tuple[Guard, ...]:
        """The namespace must exist and not be going, at the moment of the write too: nothing is left behind in it."""
        name = obj.metadata.namespace
        if not type(obj).resource.namespaced:
            return ()
        key = key_of(Namespace, "", name)
        cached = None if fresh else self.registry.cache.get(key)
        if cached is not None:
            found = codec.decode(Namespace, cached)
        else:
            stored = self.registry.read(Namespace, "", name)
            if stored is None:
                raise errors.not_found(Namespace, name)
            found = codec.decode(Namespace, strategy.shown_bytes(stored.decode(), stored.revision))
        if found.metadata.deletionTimestamp:
            because = f"unable to create new content in namespace {name} because it is being terminated"
            raise errors.forbidden(type(obj), obj.metadata.name, because)
        return (Unchanged(key, int(found.metadata.resourceVersion)),)

    # --- update and patch -------------------------------------------------------------------------------------

    def update(self, request: Request) -> Answer:
        new = admission.decode(request, admission.document(request))
        authorship.check(request)
        author = authorship.author(request)
        return self.modify(request, lambda old: self.updated(request, old, strategy.copy(new), author))

    def patch(self, request: Request) -> Answer:
        applied, author = patches.reader(request), authorship.author(request)

        def change(old: Object) -> Object:
            # The version is in it: a patch that sets another one says which it has seen.
            new = patches.decoded(request, applied(type(old), codec.to_dict(old)))
            return self.updated(request, old, new, author)

        return self.modify(request, change)

    def updated(self, request: Request, old: Object, new: Object, author: Author | None) -> Object:
        """What a client's new object becomes beside the old one. Without an author, who owns what is known already."""
        check_version(old, new)
        if request.target.subresource == "status":
            strategy.prepare_status(new, old)
            defaults.set_defaults(new)
            self._complete(new, old, author)
            return new
        admission.warn(request, new, old)
        guests = request.target.subresource == "ephemeralcontainers"
        (strategy.prepare_guests if guests else strategy.prepare_update)(new, old)
        defaults.set_defaults(new)
        self._complete(new, old, author)
        if not guests and strategy.guests(new) != strategy.guests(old):
            message = "Forbidden: may be changed through pods/ephemeralcontainers only"
            cause = StatusCause(reason="FieldValueForbidden", message=message, field="spec.ephemeralContainers")
            raise errors.invalid(type(new), new.metadata.name, [cause])
        # Now that defaults are in: leaving out a default is no change of what is wanted.
        if strategy.counts_generations(type(new)):
            new.metadata.generation = old.metadata.generation + (1 if strategy.wants_else(new, old) else 0)
        return new

    def modify(self, request: Request, change: Change) -> Answer:
        """Change an object, however often it takes to be first."""
        for _ in range(params.WRITE_ATTEMPTS):
            stored = self.read(request)
            old, new = stored.decode(), change(stored.decode())
            access.check(request, old, new)
            gone = deletion.is_over(new)
            if not gone and strategy.same(new, old):
                return _answer(200, new, stored.revision, written=False)
            try:
                made, revision = self._commit(request, stored, None if gone else new, (_unchanged(stored),))
            except Conflict:
                continue
            return _answer(200, made or new, revision)
        raise errors.modified(request.cls, request.target.name)

    def read(self, request: Request) -> Stored:
        target = request.target
        stored = self.registry.read(target.cls, target.namespace, target.name)
        if stored is None:
            raise errors.not_found(target.cls, target.name)
        return stored

    def _complete(self, new: Object, old: Object | None, author: Author | None) -> None:
        """Who owns what, and what a Service keeps; then all that is wrong. The defaults are in."""
        if author is not None:
            record(new, old, author)
        if isinstance(new, Service):
            try:
                services.prepare(new, old if isinstance(old, Service) else None, self._families)
            except allocation.Refused as refused:
                raise errors.invalid(Service, new.metadata.name, refused.causes) from refused
        admission.check(new, old)

    # --- delete -----------------------------------------------------------------------------------------------

    def delete(self, request: Request) -> Answer:
        options = admission.delete_options(request)
        target = request.target
        if target.cls is Namespace and target.name in IMMORTAL:
            raise errors.forbidden(Namespace, target.name, "this namespace may not be deleted")
        for _ in range(params.WRITE_ATTEMPTS):
            stored = self.read(request)
            obj = stored.decode()
            check_preconditions(obj, options)
            access.check(request, stored.decode(), None)
            addressclaims.protect(self.registry, obj)
            outcome = deletion.begin(obj, options, clock.wall())
            if not outcome.remove and not outcome.changed:
                return _answer(200, obj, stored.revision, written=False)
            try:
                _, revision = self._commit(request, stored, None if outcome.remove else obj, (_unchanged(stored),))
            except Conflict:
                continue
            return _removed(obj, revision) if outcome.remove else _answer(200, obj, revision)
        raise errors.modified(target.cls, target.name)

    # --- the one place that writes ----------------------------------------------------------------------------

    def _commit(
        self, request: Request, before: Stored | None, after: Object | None, guards: tuple[Guard, ...]
    ) -> tuple[Object | None, int]:
        """Write with whatever addresses and ports that takes; returns the object as stored, and the revision."""
        if request.cls is not Service:
            return after, self._write(request, before, after, (guards, allocation.Plan()))
        taken = Taken(self.registry)
        exhausted = False
        while True:
            draft = strategy.copy(after) if after is not None else None
            view = allocation.View(taken, int(clock.fraction() * SEEDS))
            try:
                plan = allocation.plan(draft, before.decode() if before else None, view)
                revision = self._write(request, before, draft, (guards, plan))
                return draft, revision
            except allocation.Refused as refused:
                raise errors.invalid(request.cls, _name(after), refused.causes) from refused
            except allocation.Exhausted as error:
                if exhausted:
                    raise errors.internal(str(error)) from error
                # The cache may not have seen yet what was given back a moment ago.
                exhausted = True
                self.registry.wait_fresh()
                taken.lost.clear()
            except Conflict as conflict:
                taken.lost |= _lost(request, after, plan, conflict)

    def _write(
        self,
        request: Request,
        before: Stored | None,
        after: Object | None,
        decided: tuple[tuple[Guard, ...], allocation.Plan],
    ) -> int:
        guards, plan = decided
        if request.dry_run:
            return before.revision if before else 0
        if after is None:
            assert before is not None
            return self.registry.commit(Txn(guards, (), (before.kv.key, *plan.release)))
        key = key_of(type(after), after.metadata.namespace, after.metadata.name)
        puts = [put(key, strategy.stored_bytes(after), type(after))]
        puts += [put(claim.key, _claim_bytes(claim, after), IPAddress) for claim in plan.take]
        claimed = tuple(Absent(claim.key) for claim in plan.take)
        return self.registry.commit(Txn((*guards, *claimed), tuple(puts), tuple(plan.release)))


def _claim_bytes(claim: allocation.Claim, owner: Object) -> bytes:
    """What stands at a claimed key: an IPAddress, or for a port just whose it is."""
    if claim.key.startswith(allocation.NODE_PORTS_PREFIX):
        return f"services/{owner.metadata.namespace}/{owner.metadata.name}".encode()
    assert isinstance(owner, Service)
    obj = allocation.address_object(claim, owner)
    strategy.prepare_create(obj, strategy.Birth(times.rfc3339(clock.wall()), clock.uid(), ""))
    return strategy.stored_bytes(obj)


def _lost(request: Request, after: Object | None, plan: allocation.Plan, conflict: Conflict) -> set[str]:
    """The claims that somebody else won, to choose others; anything else is for the caller to handle."""
    claims = {claim.key: claim for claim in plan.take}
    if any(key not in claims for key in conflict.keys):
        raise conflict
    for key in conflict.keys:
        if claims[key].given:
            raise errors.invalid(request.cls, _name(after), claims[key].refusal.causes) from conflict
    return set(conflict.keys)


def _name(obj: Object | None) -> str:
    return obj.metadata.name if obj else ""


def _unchanged(stored: Stored) -> Guard:
    return Unchanged(stored.kv.key, stored.revision)


def check_version(old: Object, new: Object) -> None:
    """A client that names the version it has seen may only change that one; likewise for the uid."""
    seen, uid = new.metadata.resourceVersion, new.metadata.uid
    if uid and uid != old.metadata.uid:
        because = f"Precondition failed: UID in precondition: {uid}, UID in object meta: {old.metadata.uid}"
        raise errors.conflict(type(old), old.metadata.name, because)
    if seen and seen != old.metadata.resourceVersion:
        raise errors.modified(type(old), old.metadata.name)


def check_preconditions(obj: Object, options: DeleteOptions) -> None:
    wanted, meta = options.preconditions, obj.metadata
    if wanted is None:
        return
    for what, given, is_ in (
        ("UID", wanted.uid, meta.uid),
        ("ResourceVersion", wanted.resourceVersion, meta.resourceVersion),
    ):
        if given and given != is_:
            because = f"Precondition failed: {what} in precondition: {given}, {what} in object meta: {is_}"
            raise errors.conflict(type(obj), meta.name, because)


def _answer(code: int, obj: Object | None, revision: int, written: bool = True) -> Answer:
    assert obj is not None
    writes = (Written(obj.metadata.namespace, obj.metadata.name, revision),) if written else ()
    return Answer(code, strategy.shown_bytes(obj, revision), writes=writes)


def _removed(obj: Object, revision: int) -> Answer:
    """The object is gone: say which one it was; kubectl tells by the uid whether one of that name is a new one."""
    if type(obj) in strategy.SHOWN_WHEN_GONE:
        return _answer(200, obj, revision)
    where = type(obj).resource
    details = StatusDetails(name=obj.metadata.name, group=where.group, kind=where.plural, uid=obj.metadata.uid)
    body = codec.encode(Status(status="Success", details=details))
    return Answer(200, body, writes=(Written(obj.metadata.namespace, obj.metadata.name, revision),))
