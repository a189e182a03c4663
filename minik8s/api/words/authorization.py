"""Words for the group authorization.k8s.io: questions about rights."""

from minik8s.api import authorization as a
from minik8s.api.meta import FieldSelectorRequirement
from minik8s.api.words.table import Words

RESOURCE = "What would be done, on a resource. Either this or nonResourceAttributes."
PATH = "What would be done, on a path that is no resource."
SELECTOR = "Which objects a list would be limited to. Rules say nothing about it."
ANSWER = "The answer."
SPEC = "The question."

WORDS: Words = {
    a.SelfSubjectAccessReview: {"": "May I? `kubectl auth can-i` asks this.", "spec": SPEC, "status": ANSWER},
    a.SubjectAccessReview: {
        "": "May somebody? Programs ask it of those who come to them.",
        "spec": SPEC,
        "status": ANSWER,
    },
    a.LocalSubjectAccessReview: {
        "": "May somebody, in this namespace? A Role can give the right to ask it there.",
        "spec": SPEC,
        "status": ANSWER,
    },
    a.SelfSubjectRulesReview: {
        "": "What may I do? `kubectl auth can-i --list` asks this.",
        "spec": SPEC,
        "status": ANSWER,
    },
    a.SelfSubjectAccessReviewSpec: {
        "": "What somebody would do.",
        "resourceAttributes": RESOURCE,
        "nonResourceAttributes": PATH,
    },
    a.SubjectAccessReviewSpec: {
        "": "Who would do what.",
        "resourceAttributes": RESOURCE,
        "nonResourceAttributes": PATH,
        "user": "The user's name.",
        "groups": "The groups that the user is in. They are believed as they stand here.",
        "uid": "The user's uid. Rules do not look at it.",
        "extra": "What else is known of the user. Rules do not look at it.",
    },
    a.SubjectAccessReviewStatus: {
        "": "Whether it is allowed.",
        "allowed": "Some rule allows it.",
        "denied": "Something forbids it, whatever else allows. Never so here: nothing forbids.",
        "reason": "Why not, where there is more to say than that no rule allows it.",
        "evaluationError": "What went wrong on the way to the answer.",
    },
    a.ResourceAttributes: {
        "": "A verb on a resource.",
        "namespace": "The namespace; empty for what has none, or for all of them.",
        "verb": "The verb: get, list, create, …, or `*` for all of them.",
        "group": "The API group; empty for the core group.",
        "version": "The version of the API. Rules do not look at it.",
        "resource": "The resource, in the plural: pods.",
        "subresource": "A part of it: log.",
        "name": "One object's name; empty for all of them.",
        "fieldSelector": SELECTOR,
        "labelSelector": SELECTOR,
    },
    a.FieldSelectorAttributes: {
        "": "A selector of fields.",
        "rawSelector": "The selector as text.",
        "requirements": "The selector taken apart.",
    },
    a.LabelSelectorAttributes: {
        "": "A selector of labels.",
        "rawSelector": "The selector as text.",
        "requirements": "The selector taken apart.",
    },
    FieldSelectorRequirement: {
        "": "What a field must be.",
        "key": "The field.",
        "operator": "In, NotIn, Exists or DoesNotExist.",
        "values": "The values, for In and NotIn.",
    },
    a.NonResourceAttributes: {
        "": "A verb on a path of the API server that is no resource.",
        "path": "The path: /healthz.",
        "verb": "The HTTP method in small letters: get.",
    },
    a.SelfSubjectRulesReviewSpec: {"": "Where somebody would do something.", "namespace": "The namespace."},
    a.SubjectRulesReviewStatus: {
        "": "All that somebody may do in a namespace.",
        "resourceRules": "Verbs on resources. There may be repetitions.",
        "nonResourceRules": "Verbs on paths.",
        "incomplete": "There are rights that cannot be listed, because they depend on the object.",
        "evaluationError": "Why the list is incomplete.",
    },
    a.ResourceRule: {
        "": "Verbs on resources.",
        "verbs": "The verbs; `*` is all.",
        "apiGroups": "The API groups; `*` is all.",
        "resources": "The resources; `*` is all.",
        "resourceNames": "Only objects of these names; none is all.",
    },
    a.NonResourceRule: {"": "Verbs on paths.", "verbs": "The verbs.", "nonResourceURLs": "The paths."},
}
