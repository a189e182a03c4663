"""Words for the group rbac.authorization.k8s.io: roles and bindings."""

from minik8s.api import rbac
from minik8s.api.words.table import Words

RULES = "What it allows. Nothing forbids: what no rule of any role allows is not allowed."
SUBJECTS = "Who gets it."
ROLE_REF = "The role it gives. Cannot be changed: make another binding instead."

WORDS: Words = {
    rbac.Role: {"": "What may be done in one namespace. It does nothing until a RoleBinding gives it.", "rules": RULES},
    rbac.ClusterRole: {
        "": "What may be done everywhere, with a ClusterRoleBinding, or in one namespace, with a RoleBinding there.",
        "rules": RULES,
        "aggregationRule": "Makes it collect the rules of other ClusterRoles; its own are replaced by theirs.",
    },
    rbac.AggregationRule: {
        "": "Which ClusterRoles' rules are collected.",
        "clusterRoleSelectors": "One that fits any of these selectors is collected.",
    },
    rbac.PolicyRule: {
        "": "Verbs on resources, or on paths of the API server that are no resources.",
        "verbs": "What may be done: get, list, watch, create, update, patch, delete, deletecollection; `*` is all.",
        "apiGroups": 'The groups of the resources: "" is the core group, `*` is all.',
        "resources": "On what: `pods`, `pods/log` for a subresource, `*/scale` for that of every kind, `*` for all.",
        "resourceNames": "Only on objects of these names. Does not fit create and list, which name no object.",
        "nonResourceURLs": "Paths such as /healthz; a `*` at the end stands for everything behind it.",
    },
    rbac.RoleBinding: {"": "Gives a role within its namespace.", "subjects": SUBJECTS, "roleRef": ROLE_REF},
    rbac.ClusterRoleBinding: {"": "Gives a ClusterRole everywhere.", "subjects": SUBJECTS, "roleRef": ROLE_REF},
    rbac.RoleRef: {
        "": "Which role a binding gives.",
        "apiGroup": "Always rbac.authorization.k8s.io.",
        "kind": "Role or ClusterRole.",
        "name": "Its name. The role may be made later; until then the binding gives nothing.",
    },
    rbac.Subject: {
        "": "A user, a group, or a ServiceAccount. Users and groups are no objects, only names that a client shows.",
        "kind": "User, Group or ServiceAccount.",
        "name": "The name, as `kubectl auth whoami` tells it.",
        "apiGroup": 'rbac.authorization.k8s.io for users and groups, "" for a ServiceAccount.',
        "namespace": "The namespace of a ServiceAccount.",
    },
}
