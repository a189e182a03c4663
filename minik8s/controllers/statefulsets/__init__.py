"""StatefulSets: Pods that are somebody. web-0 comes before web-1, and whoever replaces web-0 is web-0 again.

Reads StatefulSets, Pods and ControllerRevisions; writes Pods, revisions and the StatefulSet's status. The DNS name of
each Pod (`web-0.web.default.svc…`) needs no more than `hostname` and `subdomain` in it and the headless Service that
`spec.serviceName` names.

Read `members.py` (which Pod is which), `order.py` (the one next step), then `plan.py`. Source:
Kubernetes' stateful set controller.
"""
