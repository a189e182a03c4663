"""System Services: `default/kubernetes` (the API server itself) and `kube-system/kube-dns`.

Reads and writes these two Services, and the endpoints of the first. The endpoints of kube-dns are kept by each node's
agent, which knows whether the node's DNS lives. Read `plan.py`.
"""
