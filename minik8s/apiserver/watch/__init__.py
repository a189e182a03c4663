"""Watches: one thread tells everybody what changes.

    watching.py    a request for a watch, until its socket is handed over
    broadcast.py   the one thread: which change is for which watchers
    channel.py     a question that several ask: each line of its answer is made once
    outlet.py      one watcher's socket: as fast as it takes lines, and no faster; who is too far behind is sent away

Invariant: every change after the revision asked for is told once and in order. Read `watching.py` first.
"""
