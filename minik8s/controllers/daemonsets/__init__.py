"""DaemonSets: one Pod on each node that may have it.

Reads DaemonSets, Nodes, Pods and ControllerRevisions; writes Pods, revisions and the DaemonSet's status. It makes each
Pod for a certain node, by an affinity to the node's name, and leaves the binding to the scheduler.

Read `places.py` (which nodes, and whose Pod is where), `rolling.py` (how a new template gets there), then `plan.py`.
Source: Kubernetes' daemon set controller.
"""
