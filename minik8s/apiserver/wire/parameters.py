"""Parameters of requests, and the answers that a request may get: what OpenAPI says of them, in tables.

`BY_VERB` and `BY_SUBRESOURCE` say which operation takes which. What is not in them is ignored by the server, as
Kubernetes ignores what it does not know. Read `operations.py` next.
"""

# name: (type, description)
QUERY: dict[str, tuple[str, str]] = {
    "pretty": ("string", "Accepted for old clients; answers are compact JSON whatever it says."),
    "allowWatchBookmarks": ("boolean", "Send a BOOKMARK with the newest resourceVersion now and then."),
    "continue": ("string", "The token of the page before, for the next page of a list."),
    "fieldSelector": ("string", "Only objects whose fields have these values, such as metadata.name=web."),
    "labelSelector": ("string", "Only objects with these labels: a=b, a!=b, a in (b,c), a notin (b), a, !a."),
    "limit": ("integer", "At most so many objects; the answer's metadata.continue leads to the next page."),
    "resourceVersion": ("string", "Nothing older than this revision; 0 takes whatever is at hand."),
    "resourceVersionMatch": ("string", "What resourceVersion means for a list: NotOlderThan or Exact."),
    "sendInitialEvents": ("boolean", "Begin a watch with what is there, then a BOOKMARK that says so."),
    "timeoutSeconds": ("integer", "End a watch after so many seconds."),
    "watch": ("boolean", "Do not list, but tell of every change from resourceVersion on, one JSON document a line."),
    "dryRun": ("string", "All: check and answer as if, but store nothing."),
    "fieldManager": ("string", "Who makes the change, for metadata.managedFields; the program's name if left out."),
    "fieldValidation": ("string", "Fields that the kind does not have: Strict refuses, Warn warns, Ignore drops them."),
    "force": ("boolean", "Server-side apply only: take fields over from other managers."),
    "gracePeriodSeconds": ("integer", "How many seconds the containers get to end by themselves; 0 is at once."),
    "orphanDependents": ("boolean", "The old way to say propagationPolicy=Orphan."),
    "propagationPolicy": ("string", "What becomes of owned objects: Background, Foreground or Orphan."),
    "container": ("string", "Name of the container; needed if the Pod has several."),
    "follow": ("boolean", "Go on with what the container writes from now on."),
    "limitBytes": ("integer", "At most so many bytes."),
    "previous": ("boolean", "The log of the container before the last restart."),
    "sinceSeconds": ("integer", "Only what was written in the last so many seconds."),
    "sinceTime": ("string", "Only what was written since then."),
    "tailLines": ("integer", "Only so many lines from the end."),
    "timestamps": ("boolean", "The time before each line."),
    "command": ("string", "A word of the command to run; give it once for each word."),
    "stdin": ("boolean", "Open standard input."),
    "stdout": ("boolean", "Open standard output."),
    "stderr": ("boolean", "Open standard error."),
    "tty": ("boolean", "Give the command a terminal."),
    "ports": ("integer", "A port to forward."),
}
PATH = {
    "namespace": "The namespace.",
    "name": "Name of the object.",
    "path": "What to ask the server behind it for.",
}

PAGE = (
    "allowWatchBookmarks",
    "continue",
    "fieldSelector",
    "labelSelector",
    "limit",
    "resourceVersion",
    "resourceVersionMatch",
    "sendInitialEvents",
    "timeoutSeconds",
    "watch",
)
WRITING = ("dryRun", "fieldManager", "fieldValidation")
DELETING = ("dryRun", "gracePeriodSeconds", "orphanDependents", "propagationPolicy")
SELECTING = ("fieldSelector", "labelSelector", "resourceVersion")
BY_VERB: dict[str, tuple[str, ...]] = {
    "list": PAGE,
    "get": ("resourceVersion",),
    "create": WRITING,
    "update": WRITING,
    "patch": (*WRITING, "force"),
    "delete": DELETING,
    "deletecollection": (*DELETING, *SELECTING),
}
STREAMS = ("container", "stderr", "stdin", "stdout", "tty")
BY_SUBRESOURCE: dict[str, tuple[str, ...]] = {
    "log": ("container", "follow", "limitBytes", "previous", "sinceSeconds", "sinceTime", "tailLines", "timestamps"),
    "exec": ("command", *STREAMS),
    "attach": STREAMS,
    "portforward": ("ports",),
    "proxy": (),
}

# Failures, each with a Status as its body.
FAILURES = {
    400: "BadRequest: the request is not well formed.",
    401: "Unauthorized: who asks is not known.",
    403: "Forbidden: who asks may not do this.",
    404: "NotFound: there is no such object.",
    405: "MethodNotAllowed: this cannot be done here.",
    406: "NotAcceptable: none of the forms that the client takes can be given.",
    409: "Conflict, AlreadyExists: somebody was faster, or the name is taken.",
    410: "Expired: the revision is too old; list again.",
    413: "RequestEntityTooLarge: the body is too large.",
    415: "UnsupportedMediaType: the body is in a form that is not understood.",
    422: "Invalid: the object breaks a rule; details.causes names each field.",
    429: "TooManyRequests: try again later, or a PodDisruptionBudget forbids it now.",
    500: "InternalError: the server failed.",
    503: "ServiceUnavailable: the store or a node cannot be reached.",
    504: "Timeout: it took too long; a write may have taken place.",
}
READING_FAILURES = (400, 401, 403, 404, 405, 406, 410, 422, 429, 500, 503, 504)
