"""The API server: the one door to the store, and the only language the other components speak.

It keeps objects and tells who changed what; it makes nothing happen. A Service that is created here becomes packets
only because others watch. What it promises: an object is stored whole or not at all; each write has its own, rising
`resourceVersion`; nobody overwrites a change that they have not seen; a watch tells of every change once and in
order; an address or a node port belongs to one Service.

Everything is derived from the table of kinds (`api.kinds`): there is one path for all kinds, and `strategy.py` holds
the few things in which they differ. A request goes through these files, in this order:

    serving/        which connection has a thread, and who goes first
    http.py         HTTP in and out, errors as Status, the audit line (audit.py)
    routes.py       path → kind, namespace, name, subresource
    auth/           who asks, and may they?
    admission.py    bytes → a complete, valid object; patches.py what a PATCH makes of the object that is there
    applying.py     server-side apply; authorship.py who is written down as the author of a write
    verbs.py        create, update, patch, delete; deletion.py decides how an object goes
    allocating/     what a Service keeps and asks for, and the addresses and ports it gets
    registry.py     objects ↔ the store: keys, guards, what to do when the outcome is unknown
    reads.py        get, list; selection.py holds selectors, parts.py the parts of long lists
    forms.py        the form of an answer: as it is, as a table (tables/), its metadata alone
    watch/          a watch, until its socket is handed over; one thread then tells all watchers what changes
    relaying/       logs, exec, proxies: what the agent of the Pod's node answers
    pages.py        what the API says of itself: discovery.py, and OpenAPI from wire/
    metering.py     what nodes and Pods use just now: measured when asked, in measures.py's terms

Read `routes.py` first, then `verbs.py`.
"""
