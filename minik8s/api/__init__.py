"""What exists: the objects of a cluster as typed values.

This package is the ground that everything stands on (DESIGN law 3). It reads nothing and writes nothing: no sockets,
no clocks, no files. One module for each API group (`core`, `apps`, `discovery`, `coordination`, `networking`), each a
list of msgspec Structs whose attributes are exactly the names on the wire, so that `pod.spec.nodeName` in Python is
`spec.nodeName` in YAML.

Read `meta.py` first (what all objects share), then `core.py`, then `kinds.py` (the table from which routes, the
command line and the store's keys are derived). `words/` says what each field means, for `kubectl explain`.
"""
