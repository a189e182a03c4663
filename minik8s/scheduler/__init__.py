"""Scheduler: which node a new Pod goes to.

Reads Pods, Nodes and Services; writes the binding of a Pod (its subresource `binding`), or, when it fits nowhere, the
condition PodScheduled and an Event with the reason for each node. It never looks at a Pod again once it is bound.

Read `fit.py` (can this Pod run there, and if not, why?), then `plan.py` (which of the nodes where it can), then
`main.py`. Source: Kubernetes' scheduler, its filters NodeUnschedulable, TaintToleration, NodeAffinity,
NodeResourcesFit, NodePorts, and its scores PodTopologySpread and NodeResourcesFit.
"""
