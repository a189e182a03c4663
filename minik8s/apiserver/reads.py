"""Get and list, from the watch cache.

A read without `resourceVersion` is as new as etcd (it asks for the revision and waits for the cache); `0` takes what
is there; `N` waits until the cache is not older than N. What the cache cannot know, a list as it was and the later
parts of one, comes from etcd: see `parts.py`. Lists are joined from encoded bytes; nothing is decoded
unless a selector asks. Invariant: a list's resourceVersion is the revision of exactly its content, so a watch from
there misses nothing.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from minik8s.api.meta import StatusCause
from minik8s.apiserver import errors, forms, parts, selection
from minik8s.apiserver.admission import whole
from minik8s.apiserver.parts import Place
from minik8s.apiserver.registry import Registry, key_of, prefix_of
from minik8s.apiserver.request import Answer, Request

ANY = "0"  # the resourceVersion of who takes what is there
MATCHES = ("Exact", "NotOlderThan")
WRITTEN = ("list", "watch", "deletecollection")  # whose answers are in their form already


def get(registry: Registry, request: Request) -> Answer:
    target = request.target
    freshen(registry, request.query)
    found = registry.cache.get(key_of(target.cls, target.namespace, target.name))
    if found is None:
        raise errors.not_found(target.cls, target.name)
    return Answer(200, found)


def list_(registry: Registry, request: Request) -> Answer:
    options = _options(request.query)
    matches = selection.matcher(request.cls, request.query)
    prefix = scope(request)
    if options.token:
        part = parts.read(registry, parts.read_token(prefix, options.token), matches, options.limit)
    elif options.exact:
        part = parts.read(registry, Place(prefix, options.revision), matches, options.limit)
    else:
        found, revision = select(registry, request, matches)
        limit = 0 if options.version == ANY else options.limit
        part = parts.first(found, Place(prefix, revision), limit, matches is not None)
    return document(request, part.items, part.revision, part.more)


@dataclass(frozen=True)
class Options:
    """What a list's query says of how much and as of when; upstream's ListOptions."""

    limit: int
    token: str
    version: str
    match: str

    @property
    def revision(self) -> int:
        return whole(self.version or ANY, "resourceVersion")

    @property
    def exact(self) -> bool:
        """As of exactly that revision: when asked for, and for the first of several parts."""
        asked = self.limit > 0 and self.version not in ("", ANY)
        return self.match == "Exact" or (asked and not self.match)


def _options(query: Mapping[str, str]) -> Options:
    """Read and checked; what contradicts itself is refused in upstream's words."""
    options = Options(
        whole(query.get("limit") or "0", "limit"),
        query.get("continue", ""),
        query.get("resourceVersion", ""),
        query.get("resourceVersionMatch", ""),
    )
    wrong = list(_wrong_match(options)) if options.match else []
    if query.get("sendInitialEvents"):
        wrong.append(_forbidden("sendInitialEvents", "sendInitialEvents is forbidden for list"))
    if wrong:
        raise errors.invalid_options("list", wrong)
    if options.revision < 0:
        raise errors.bad_request(f"invalid resourceVersion: {options.version!r} is negative")
    if options.token and options.version not in ("", ANY):
        raise errors.bad_request("specifying resource version is not allowed when using continue")
    return options


def _wrong_match(options: Options) -> Iterator[StatusCause]:
    field = "resourceVersionMatch"
    if not options.version:
        yield _forbidden(field, "resourceVersionMatch is forbidden unless resourceVersion is provided")
    if options.token:
        yield _forbidden(field, "resourceVersionMatch is forbidden when continue is provided")
    if options.match not in MATCHES:
        known = ", ".join(f'"{each}"' for each in (*MATCHES, ""))
        message = f'Unsupported value: "{options.match}": supported values: {known}'
        yield StatusCause(reason="FieldValueNotSupported", message=message, field=field)
    if options.match == "Exact" and options.version == ANY:
        yield _forbidden(field, 'resourceVersionMatch "exact" is forbidden for resourceVersion "0"')


def _forbidden(field: str, because: str) -> StatusCause:
    return StatusCause(reason="FieldValueForbidden", message=f"Forbidden: {because}", field=field)


def select(
    registry: Registry, request: Request, matches: selection.Matches | None
) -> tuple[list[tuple[str, bytes]], int]:
    """Keys and objects that a collection's request is about, and their revision."""
    freshen(registry, request.query)
    found, revision = registry.cache.items(scope(request))
    if matches is not None:
        found = [(key, value) for key, value in found if matches(value)]
    return found, revision


def scope(request: Request) -> str:
    """The keys a request is about, as a prefix: a kind, or a namespace of it."""
    return prefix_of(request.target.cls, request.target.namespace)


def freshen(registry: Registry, query: Mapping[str, str]) -> None:
    """Wait until the cache is as new as the client wants it."""
    asked = query.get("resourceVersion") or ""
    if asked == "":
        registry.wait_fresh()
    elif asked != "0":
        registry.wait_for(whole(asked, "resourceVersion"))


def document(request: Request, items: list[bytes], revision: int, more: Mapping[str, object] | None = None) -> Answer:
    """A list, in the form that was asked for. `more`: how it goes on."""
    meta = {"resourceVersion": str(revision), **(more or {})}
    return Answer(200, forms.of(request).several(items, meta))
