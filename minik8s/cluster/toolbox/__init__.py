"""Programs that run inside Pods: what the labs call, and what calls it.

They stand alone: the container has Python's standard library and these files, no minik8s. So each may be read, changed
and copied by itself. The image they go into is built by `cluster/images/toolbox.py`.
Read first: `backend.py` (answers who it is), then `client.py` (counts what became of every request), `frontend.py`
(calls a name).
"""
