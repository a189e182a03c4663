"""ReplicaSets: as many Pods as `spec.replicas` says, no more, no fewer.

Reads ReplicaSets and Pods; writes Pods (create, delete, adopt, release) and the ReplicaSet's status. A Pod that is
being deleted does not count, so its successor is made at once. Read `plan.py` first, then `order.py`: which Pods go
when there are too many.
"""
