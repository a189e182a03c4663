"""A request to the function that answers it: the whole table of what this server does, on one page.

Read `verbs.py`, `reads.py`, `watching.py`, `subresources.py` for the functions.
"""

import dataclasses
import functools
import threading
from collections.abc import Callable

from minik8s.api import codec, kinds, meta
from minik8s.apiserver import admission, applying, errors, evictions, faces, forms, reads, subresources
from minik8s.apiserver.auth import access, usage
from minik8s.apiserver.auth.authenticator import Authenticator
from minik8s.apiserver.auth.reviews import Reviews
from minik8s.apiserver.auth.signing import Keys
from minik8s.apiserver.auth.tokens import Tokens
from minik8s.apiserver.registry import Registry
from minik8s.apiserver.request import Answer, Request, Written
from minik8s.apiserver.routes import Target
from minik8s.apiserver.verbs import Verbs
from minik8s.apiserver.watch.watching import Watches

WRITES = ("create", "update", "patch", "delete", "deletecollection")
Subresource = Callable[[Verbs, Request], Answer]
# subresource → verb → how; what is not here is refused with 405.
SUBRESOURCES: dict[str, dict[str, Subresource]] = {
    "status": {"get": lambda verbs, r: _current(verbs, r), "update": Verbs.update, "patch": applying.patch},
    "ephemeralcontainers": {
        "get": lambda verbs, r: _current(verbs, r),
        "update": Verbs.update,
        "patch": applying.patch,
    },
    "scale": {"get": subresources.scale, "update": subresources.scale, "patch": subresources.scale},
    "binding": {"create": subresources.bind},
    "eviction": {"create": evictions.evict},
    "finalize": {"update": subresources.finalize},
}


class Dispatcher:
    """Everything that answers requests, over one registry."""

    def __init__(self, registry: Registry, keys: Keys | None = None) -> None:
        self.registry = registry
        self.tokens = Tokens(registry, keys) if keys else None
        self.authenticator = Authenticator(registry, self.tokens)
        self.verbs = Verbs(registry)
        self.watches = Watches(registry)
        # Kinds that are not stored, and who answers for them.
        self.momentary: dict[type[meta.Object], Callable[[Request], Answer]] = {}
        self.momentary |= Reviews(registry, self.authenticator).answerers()
        self.prepared = threading.Event()  # set when the first namespaces are there

    def answer(self, request: Request) -> Answer:
        """Check the rights and do it."""
        _check_method(request)
        access.check(request, uses=functools.partial(usage.used_on_node, self.registry))
        request = faces.inward(request)
        form = forms.of(request)  # an answer that cannot be written is refused before anything is done
        request = _told_dry_run(request)
        answer = self._answer(request)
        if request.verb not in reads.WRITTEN and not form.plain:
            answer = dataclasses.replace(answer, body=form.one(answer.body))
        # What was only tried made no revision: the audit is not to tell of it.
        return dataclasses.replace(answer, writes=()) if request.dry_run else answer

    def _answer(self, request: Request) -> Answer:
        if request.target.subresource:
            return self._subresource(request)
        if request.cls in kinds.MOMENTARY:
            return self._momentary(request)
        if request.verb == "get":
            return reads.get(self.registry, request)
        if request.verb == "list":
            return reads.list_(self.registry, request)
        if request.verb == "watch":
            return self.watches.watch(request)
        if request.verb == "deletecollection":
            return self._delete_all(request)
        if request.verb == "patch":
            return applying.patch(self.verbs, request)
        write: Callable[[Request], Answer] = getattr(self.verbs, request.verb)
        return write(request)

    def _momentary(self, request: Request) -> Answer:
        answer = self.momentary.get(request.cls)
        if answer is None:
            raise errors.unavailable(
                f"this API server was started without what answers for {request.cls.resource.kind}"
            )
        return answer(request)

    def _subresource(self, request: Request) -> Answer:
        if request.target.subresource == "token":
            return self._token(request)
        how = SUBRESOURCES.get(request.target.subresource, {}).get(request.verb)
        if how is None:
            raise errors.method_not_allowed(request.verb)
        return how(self.verbs, request)

    def _token(self, request: Request) -> Answer:
        if request.verb != "create":
            raise errors.method_not_allowed(request.verb)
        if self.tokens is None:
            raise errors.internal("this API server was given no --service-account-signing-key-file")
        return self.tokens.request(request)

    def _delete_all(self, request: Request) -> Answer:
        """One by one, as clients would: each object has its own finalizers and its own grace."""
        admission.delete_options(request)
        from_selection = reads.selection.matcher(request.cls, request.query)
        found, revision = reads.select(self.registry, request, from_selection)
        gone, writes = [], list[Written]()
        for _, value in found:
            obj = codec.decode(request.cls, value)
            target = Target(request.cls, obj.metadata.namespace, obj.metadata.name)
            try:
                writes += self.verbs.delete(dataclasses.replace(request, target=target)).writes
                gone.append(value)
            except errors.Failure as failure:
                if failure.code != 404:  # somebody else deleted it: just as well
                    raise
        return Answer(200, reads.document(request, gone, revision).body, writes=tuple(writes))


def _current(verbs: Verbs, request: Request) -> Answer:
    return reads.get(verbs.registry, request)


def _check_method(request: Request) -> None:
    target = request.target
    if not target.name and target.cls.resource.namespaced and not target.namespace and request.verb in WRITES:
        raise errors.method_not_allowed(request.verb)
    if not target.subresource and request.verb not in target.cls.resource.verbs:
        raise errors.method_not_allowed(request.verb)


def _told_dry_run(request: Request) -> Request:
    """A dry run is asked for in the query; for a deletion also in its options, as kubectl does."""
    asked = [each for each in (request.query.get("dryRun", ""),) if each]
    if request.verb in ("delete", "deletecollection"):
        asked += admission.delete_options(request).dryRun
    wrong = next((each for each in asked if each != "All"), "")
    if wrong:
        cause = meta.StatusCause(
            reason="FieldValueNotSupported",
            message=f'Unsupported value: "{wrong}": supported values: "All"',
            field="dryRun",
        )
        raise errors.invalid_options(request.verb, [cause])
    return dataclasses.replace(request, query={**request.query, "dryRun": "All"}) if asked else request
