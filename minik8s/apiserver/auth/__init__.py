"""Who asks, and what they may do.

    authenticator.py   who: a client certificate (authn.py), a token (tokens.py, signed in signing.py; bootstrap.py),
                       or somebody in another's name (impersonation.py)
    authz.py           the house's own rules, with conditions: a node may touch what is its own (usage.py says what a
                       node's Pods use), and nothing else
    rbac.py            the rules of roles and bindings; policies.py keeps them at hand, roles.py has those that a
                       cluster is born with, grants.py sees to it that nobody gives away what they do not have
    access.py          asks both, once when a request arrives and again before a write
    reviews.py         the same questions as objects: kubectl auth can-i, whoami
    accounts.py        the ServiceAccount that every Pod gets

Invariant: what nothing allows is forbidden. Read `authz.py` first, then `rbac.py`.
"""
