"""Nodes: notices that a node fell silent, takes its Pods out of the Services, and lets them be replaced elsewhere.

Reads Nodes, their Leases (namespace kube-node-lease) and Pods; writes conditions and taints of Nodes, the condition
Ready of Pods, and deletes Pods that tolerate a taint no longer. Nothing that it does to a Pod reaches the node itself
while that is cut off: the containers may go on running there, which is why such Pods stay Terminating and are never
simply forgotten.

Read `heartbeats.py` first (when is a node silent, and when is it only us who hear nothing?), then `plan.py`.
"""
