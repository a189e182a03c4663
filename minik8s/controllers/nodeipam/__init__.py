"""Node IP address management: each Node gets a range of its own for its Pods.

Reads and writes Nodes: `spec.podCIDR` and `spec.podCIDRs` (IPv4, and IPv6 where the kernel speaks it), once and for
all. A range is free again when its Node is deleted. Read `plan.py`.
"""
