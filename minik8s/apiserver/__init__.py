"""The API server: the one door to the store, and the only language the other components speak.

It keeps objects and tells who changed what; it makes nothing happen. A Service that is created here becomes packets
only because others watch. What it promises: an object is stored whole or not at all; each write has its own, rising
`resourceVersion`; nobody overwrites a change that they have not seen; a watch tells of every change once and in
order; an address or a node port belongs to one Service.

Everything is derived from the table of kinds (`api.kinds`): there is one path for all kinds, and `strategy.py` holds
the few things in which they differ. A request goes through these files, in this order:

    http.py         HTTP in and out, errors as Status, who asks (authenticator.py), the audit line (audit.py)
    routes.py       path → kind, namespace, name, subresource
    authz.py        may they?
    tokens.py       tokens of ServiceAccounts: made, and believed while what they speak of is there
    admission.py    bytes → a complete, valid object; patches.py what a PATCH makes of the object that is there
    applying.py     server-side apply; authorship.py who is written down as the author of a write
    verbs.py        create, update, patch, delete; deletion.py decides how an object goes; services.py and families.py
                    what a Service keeps and asks for, allocation.py gives it addresses and ports
    registry.py     objects ↔ the store: keys, guards, what to do when the outcome is unknown
    reads.py        get, list; selection.py holds selectors, parts.py the parts of long lists
    forms.py        the form of an answer: as it is, as a table (tables/), its metadata alone
    watching.py     a watch, until its socket is handed over; broadcast.py then tells all watchers what changes, in one
                    thread: channel.py makes the lines, outlet.py sends them as fast as each watcher takes them
    pages.py        what the API says of itself: discovery.py, and OpenAPI from wire/

Read `routes.py` first, then `verbs.py`.
"""
