"""Disruption: how many Pods of a PodDisruptionBudget may be evicted now.

Reads PodDisruptionBudgets, Pods, and what says how many Pods there should be (Deployments, ReplicaSets, StatefulSets);
writes the budget's status. The API server spends from it: an eviction takes one, and writes down which Pod (see
`apiserver/evictions.py`).

Read `plan.py`. Source: Kubernetes' disruption controller.
"""
