"""Controllers: each watches one wish written down in the API and makes it true by writing other objects.

A Deployment wants ReplicaSets; a ReplicaSet, a StatefulSet, a DaemonSet and a Job want Pods, each in its own way; a
Service wants a list of the addresses behind it, a node that fell silent wants its Pods elsewhere. Every controller is
a folder with a pure `plan.py` (objects in, actions out) and a `main.py` that wires it to informers and a queue. They
know nothing of each other and meet in API objects alone: that is why any one may be left out
(`--controllers='*,-endpoints'`), which is the best way to see what it does.

Reads: nearly every kind. Writes: what its folder says. Read `endpoints/` first: it is what makes a Service follow its
Pods. Then `replicasets/plan.py` and `nodes/plan.py`. `actions.py` is what plans are made of, `context.py` is the one
place that writes, `ownerloop.py` the wiring of all that own others.
"""
