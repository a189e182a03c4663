"""HTTP in, HTTP out: the only file that knows Flask.

Each request: who asks → what about → `dispatch.py` → answer, and an audit line if it wrote. Invariants: every
failure, Flask's own included, leaves as a JSON Status; nothing but health and version is shown to somebody unknown;
no exception leaves without a Status and a line in the log. Read `dispatch.py` next.
"""

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, cast

from flask import Flask, Response
from flask import request as http
from werkzeug.exceptions import HTTPException
from werkzeug.wsgi import ClosingIterator

from minik8s import params
from minik8s.api import codec
from minik8s.apiserver import errors, pages, routes
from minik8s.apiserver.audit import Audit
from minik8s.apiserver.auth import access, authn, impersonation, tokens
from minik8s.apiserver.auth.authenticator import Authenticator
from minik8s.apiserver.auth.policies import Authorizer
from minik8s.apiserver.dispatch import WRITES, Dispatcher
from minik8s.apiserver.relaying.carrying import Carriers
from minik8s.apiserver.relaying.relay import SUBRESOURCES as RELAYED
from minik8s.apiserver.relaying.relay import Relay
from minik8s.apiserver.relaying.streaming import Answer as Whole
from minik8s.apiserver.request import Answer, Request, Stream, Written
from minik8s.apiserver.serving import instruments
from minik8s.host import clock
from minik8s.host.health import METRICS

HEADERS = [("Content-Type", "application/json"), ("Cache-Control", "no-cache, private")]  # of every object
METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
STREAM = "minik8s.stream"
BEGAN, REQUEST = "minik8s.began", "minik8s.request"  # when a request came here, and what it turned out to be
LEAVE_SEAT = "minik8s.leave-seat"  # a function: from now on this request is a stream and counts as one

WSGI = Callable[[dict[str, Any], Any], Iterable[bytes]]

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Who:
    """The two questions about everybody who comes: who are they, and may they?"""

    authenticator: Authenticator
    authorizer: Authorizer


class Taken(StopIteration):
    """The connection belongs to somebody else now: gunicorn must neither answer nor close it."""


class Server:
    """Answers HTTP requests through a dispatcher."""

    def __init__(self, dispatcher: Dispatcher, audit: Audit, relay: Relay, who: Who) -> None:
        self._dispatcher = dispatcher
        self._audit = audit
        self._relay = relay
        self._who, self._rights = who.authenticator, who.authorizer
        self._carriers = Carriers()

    def wsgi(self) -> WSGI:
        """The WSGI application: Flask, and around it what Flask cannot do, an upgraded connection."""
        app = self.app()

        def call(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
            environ[BEGAN] = clock.monotonic()
            kind = "readOnly" if environ["REQUEST_METHOD"] in ("GET", "HEAD") else "mutating"
            instruments.INFLIGHT.inc(request_kind=kind)
            try:
                answer = cast(ClosingIterator, app(environ, start_response))
            finally:
                instruments.INFLIGHT.dec(request_kind=kind)
            stream: Stream | None = environ.get(STREAM)
            if stream is None:
                return answer
            answer.close()
            environ[LEAVE_SEAT]()
            stream.carry(environ["gunicorn.socket"])
            raise Taken

        return call

    def app(self) -> Flask:
        app = Flask("minik8s", static_folder=None)
        app.url_map.strict_slashes = False
        app.url_map.merge_slashes = False
        for websocket in (False, True):
            # Werkzeug sends a WebSocket request only to a rule that says so; exec needs one.
            methods = ["GET"] if websocket else METHODS
            for rule in ("/", "/<path:path>"):
                app.add_url_rule(
                    rule,
                    f"all{'-websocket' if websocket else ''}{rule}",
                    self._handle,
                    methods=methods,
                    websocket=websocket,
                    provide_automatic_options=False,
                )
        app.register_error_handler(errors.Failure, _failed)
        app.register_error_handler(HTTPException, _flask_failed)
        app.register_error_handler(
            RecursionError, lambda _: _failed(errors.bad_request("the body is nested too deeply"))
        )
        app.register_error_handler(Exception, _crashed)
        app.after_request(_counted)
        return app

    def _handle(self, path: str = "") -> Response:
        environ: dict[str, Any] = http.environ  # looked up once: what Flask calls `request` is found anew each time
        user = impersonation.apply(self._who.user_of(environ), environ, self._rights.allowed)
        if environ.get("PATH_INFO", "").startswith("//"):
            raise errors.no_such_path()  # Werkzeug takes //api for /api
        target = routes.resolve(path)
        if target is None:
            return self._page("/" + path.strip("/"), user)
        method, query = environ["REQUEST_METHOD"], http.args.to_dict() if environ.get("QUERY_STRING") else {}
        watch = method == "GET" and query.get("watch") in ("true", "1")
        verb = routes.verb(target, method, watch)
        if verb is None:
            raise errors.unauthorized() if user.anonymous else errors.method_not_allowed(method)
        kind, accept = environ.get("CONTENT_TYPE", ""), environ.get("HTTP_ACCEPT", "")
        request = Request(target, verb, user, query, kind, accept=accept, rights=self._rights)
        environ[REQUEST] = request
        if user.anonymous:
            access.check(request)  # before anything is read of what somebody unknown sends
        relayed = target.subresource in RELAYED
        if verb in WRITES and not relayed:
            request = replace(request, body=http.get_data(), user_agent=environ.get("HTTP_USER_AGENT", ""))
        return self._relayed(request) if relayed else self._object(request)

    # --- objects ----------------------------------------------------------------------------------------------

    def _object(self, request: Request) -> Response:
        try:
            answer = self._dispatcher.answer(request)
        except errors.Failure as failure:
            if request.verb in WRITES:
                self._record(request, failure.code, self._refused(request))
            raise
        for written in answer.writes:
            self._record(request, answer.code, written)
        return _respond(answer, request.warnings)

    def _refused(self, request: Request) -> Written:
        """A write that did not happen, at the revision at which it did not."""
        return Written(request.target.namespace, request.target.name, self._dispatcher.registry.newest)

    def _record(self, request: Request, code: int, written: Written) -> None:
        self._audit.record(request, written, code, cast(Mapping[str, str], http.headers))

    def _relayed(self, request: Request) -> Response:
        """Logs, exec, proxy: what an agent says, or a program behind it."""
        access.check(request)
        if request.target.subresource == "proxy":
            request = replace(request, body=http.get_data())
        place = self._carriers.place()
        try:
            found = self._relay.answer(request, http.environ)
        except BaseException:
            place.free()
            raise
        if not isinstance(found, Whole):
            instruments.stream_began(request)
            http.environ[STREAM] = place.of(found, ended=partial(instruments.stream_ended, request))
            return Response(status=200)
        place.free()
        response = Response(found.body, found.code)
        if http.method == "HEAD":
            response.headers.remove("Content-Length")  # there is no body to count: what the other side said is true
        response.headers.remove("Content-Type")
        response.headers.extend(found.headers)
        return response

    # --- pages ------------------------------------------------------------------------------------------------

    def _page(self, path: str, user: authn.User) -> Response:
        if not self._rights.path_allowed(user, http.method.lower().replace("head", "get"), path):
            raise errors.unauthorized() if user.anonymous else errors.forbidden_path(path, user.name)
        if http.method not in ("GET", "HEAD"):
            known = not path.startswith(("/api/", "/apis/"))  # there a path that is no Target is a kind there is not
            raise errors.method_not_allowed(http.method) if known else errors.no_such_path()
        own = self._own_page(path)
        if own is not None:
            return own
        found = self._issuer(path)
        if found is not None:
            return _json(found)
        page = self._found(path)
        response = Response(page.body, page.code, content_type=page.content_type, headers=list(page.headers.items()))
        response.make_conditional(http)  # 304 for a client that has it already
        return response

    def _own_page(self, path: str) -> Response | None:
        """What this server counted, and what was written through it."""
        if path == "/metrics":
            return Response(instruments.REGISTRY.text(), content_type=METRICS)
        if path == "/minik8s/audit":
            return self._audit_page()
        return None

    def _found(self, path: str) -> pages.Page:
        parts, query = path.strip("/").split("/"), http.args.to_dict()
        if parts[0] in pages.HEALTH:
            page = pages.health(parts, self._unready(), query)
        else:
            page = pages.find(path, query, http.headers.get("Accept", ""))
        if page is None:
            raise errors.no_such_path()
        return page

    def _issuer(self, path: str) -> dict[str, Any] | None:
        """By what others can check the tokens that this server signs."""
        signs = self._dispatcher.tokens
        if signs is None or path not in tokens.PUBLISHED:
            return None
        return tokens.configuration() if path == tokens.PUBLISHED[0] else signs.keys.public()

    def _unready(self) -> list[str]:
        """The checks of `pages.CHECKS` that fail."""
        cache = self._dispatcher.registry.cache
        well = (True, cache.alive, cache.revision > 0, self._dispatcher.prepared.is_set())
        return [name for name, fine in zip(pages.CHECKS, well, strict=True) if not fine]

    def _audit_page(self) -> Response:
        since = http.args.get("since") or "0"
        if not (since.isascii() and since.isdigit()):
            raise errors.bad_request("since must be a resourceVersion")
        return Response(self._audit.since(int(since)), mimetype="application/jsonl")


def _respond(answer: Answer, warnings: list[str]) -> Response:
    if answer.stream is not None:
        if http.environ.get("SERVER_PROTOCOL") != "HTTP/1.1":
            raise errors.bad_request("a watch is answered in chunks, which need HTTP/1.1")
        http.environ[STREAM] = answer.stream
    response = Response(answer.body, answer.code, HEADERS)
    for text in _warnings(warnings):
        response.headers.add("Warning", text)
    return response


def _warnings(texts: list[str]) -> Iterator[str]:
    """Values of `Warning` headers. What they quote comes from clients, so it is made to fit into a header."""
    more = len(texts) - params.MAX_WARNINGS
    for text in [*texts[: params.MAX_WARNINGS], *([f"and {more} more"] if more > 0 else [])]:
        printable = "".join(letter if letter.isprintable() else "?" for letter in text[: params.MAX_WARNING_LENGTH])
        plain = printable.encode("ascii", "backslashreplace").decode()
        quoted = plain.replace("\\", "\\\\").replace('"', '\\"')
        yield f'299 - "{quoted}"'


def _json(value: Any, code: int = 200) -> Response:
    return Response(codec.encode(value), code, mimetype="application/json")


def _counted(response: Response) -> Response:
    environ: dict[str, Any] = http.environ
    request: Request | None = environ.get(REQUEST)
    seconds = clock.monotonic() - environ.get(BEGAN, clock.monotonic())
    if request is None:
        instruments.answered_page(http.path, response.status_code, seconds)
    else:
        instruments.answered(request, response.status_code, seconds, stream=STREAM in environ)
    return response


# --- failures -------------------------------------------------------------------------------------------------


def _failed(failure: errors.Failure) -> Response:
    response = _json(failure.status, failure.code)
    details = failure.status.details
    if details and details.retryAfterSeconds:
        response.headers["Retry-After"] = str(details.retryAfterSeconds)
    return response


def _flask_failed(error: HTTPException) -> Response:
    code = error.code or 500
    if code == 404:
        return _failed(errors.no_such_path())
    if code == 405:
        return _failed(errors.method_not_allowed(http.method))
    return _failed(errors.Failure(code, (error.name or "").replace(" ", ""), error.description or error.name))


def _crashed(error: Exception) -> Response:
    log.error("%s %s failed", http.method, http.path, exc_info=error)
    return _failed(errors.internal(f"{type(error).__name__}: {error}"))
