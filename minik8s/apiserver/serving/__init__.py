"""Connections and threads: who is served when there are more requests than threads.

    worker.py        gunicorn's worker, made so that a thread is given to whole requests alone
    connection.py    a connection before its request is whole: handshake, head and body, each with its time
    intake.py        the bytes of a request, and what is too large or too strange to go on with
    lanes.py         seats: the system's own go first, the others wait in a bounded queue, or are sent away with 429
    instruments.py   how many, how long: the metrics, under upstream's names

Invariant: who is silent or slow costs no thread. Read `lanes.py` first.
"""
