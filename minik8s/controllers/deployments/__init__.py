"""Deployments: from one Pod template to the next, a few Pods at a time.

Reads Deployments, ReplicaSets and (for Recreate) Pods; writes ReplicaSets and the Deployment's status. It never
touches a Pod: it moves the numbers `spec.replicas` of the old and the new ReplicaSet against each other, and the
ReplicaSets do the rest.

Read `template.py` (which ReplicaSet is the current one), `rolling.py` (how far the numbers may move), `status.py`
(how far it got), then `plan.py`, which puts them together. Source: Kubernetes' deployment controller.
"""
