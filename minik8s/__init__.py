"""minik8s: Kubernetes Services end to end, small enough to read.

Each folder is one box of the diagram that every Kubernetes book draws; each folder's own docstring opens its chapter.
Start with `api/` (what exists), then follow a Service through `apiserver/`, `controllers/endpoints/`, `proxy/` and
`dns/`.
"""
