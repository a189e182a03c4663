"""Garbage: what belongs to something that is gone, goes too.

Reads the metadata of all kinds; deletes objects whose owners (`metadata.ownerReferences`) no longer exist, carries
out the two slower ways of deleting an owner (Foreground: children first; Orphan: children stay), and removes Pods of
Nodes that are gone.

Read `graph.py` (who belongs to whom), then `plan.py`. Source: Kubernetes' "Owners and Dependents", its garbage
collector and pod garbage collector.
"""
