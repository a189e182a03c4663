"""How every component reaches the API: one client, one cache, one queue, one loop.

Reads the API server (law 1: nobody but the API server opens the store) and writes only through it. Each write carries
why it was made (`Why`), so that the audit log can tell the whole chain.

Read `rest.py` (requests), then `reflector.py` (list and watch), `informer.py` (a copy that these keep fresh),
`queue.py` and `loop.py` (the one place that retries), and `component.py` (what every component is started with).
"""
