"""Node IP address management: each Node gets a range of its own for its Pods.

Reads and writes Nodes: `spec.podCIDR` and `spec.podCIDRs`, once and for all. A range is free again when its Node is
deleted. Read `plan.py`.
"""
