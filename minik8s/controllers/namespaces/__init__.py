"""Namespaces: each one has a ServiceAccount `default`; one that is deleted is emptied first.

Reads Namespaces and, for one that is being deleted, everything in it; writes ServiceAccounts, deletes, and at last
takes the finalizer `kubernetes` from the Namespace (its subresource `finalize`), which lets it go. Read `plan.py`.
"""
