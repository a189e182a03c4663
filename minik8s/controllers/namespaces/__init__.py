"""Namespaces: each has a ServiceAccount `default` and a ConfigMap `kube-root-ca.crt`; one that goes is emptied first.

Reads Namespaces and, for one that is being deleted, everything in it; writes these two, deletes, and at last takes the
finalizer `kubernetes` from the Namespace (its subresource `finalize`), which lets it go. Read `plan.py`.
"""
