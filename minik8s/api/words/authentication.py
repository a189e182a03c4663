"""Words for the group authentication.k8s.io: `api/authentication.py`."""

from minik8s.api import authentication as a
from minik8s.api.words.table import Words

WORDS: Words = {
    a.TokenRequest: {
        "": "Asks for a token of a ServiceAccount.",
        "apiVersion": "Always authentication.k8s.io/v1.",
        "kind": "Always TokenRequest.",
        "metadata": "Name and namespace of the ServiceAccount.",
        "spec": "What the token is to be good for.",
        "status": "The token.",
    },
    a.TokenRequestSpec: {
        "": "What a token is to be good for.",
        "audiences": "Who is to believe it; if empty, the API server.",
        "expirationSeconds": "For how many seconds; an hour if not said, ten minutes at least.",
        "boundObjectRef": "An object whose end is the token's end.",
    },
    a.TokenRequestStatus: {
        "": "A token.",
        "token": "The token: a signed JWT, to be sent as `Authorization: Bearer …`.",
        "expirationTimestamp": "Until when it is good.",
    },
    a.BoundObjectReference: {
        "": "An object whose end is a token's end.",
        "kind": "Its kind: Pod, Secret or Node.",
        "apiVersion": "Its group and version.",
        "name": "Its name.",
        "uid": "Its identity.",
    },
    # --- Reviews ---
    a.UserInfo: {
        "": "A user as the API server knows it.",
        "username": "The name: that of a certificate, or system:serviceaccount:<namespace>:<name>.",
        "uid": "Tells users of the same name apart. Only ServiceAccounts have one here.",
        "groups": "The groups it is in; whoever is known is in system:authenticated.",
        "extra": "How it was found out, such as the Pod and the node that a token belongs to.",
    },
    a.TokenReview: {
        "": "Asks whose token this is. Programs in the cluster ask it of tokens that they are shown.",
        "spec": "The token.",
        "status": "Whose it is.",
    },
    a.TokenReviewSpec: {
        "": "A token, and for whom it should have been made.",
        "token": "The token.",
        "audiences": "Names of whoever asks: the token counts if it was made for one of them.",
    },
    a.TokenReviewStatus: {
        "": "Whose token it is.",
        "authenticated": "Whether the token counts.",
        "user": "Whose it is.",
        "audiences": "For which of the audiences it was made.",
        "error": "Why it does not count.",
    },
    a.SelfSubjectReview: {"": "Asks who one is: `kubectl auth whoami`.", "status": "The answer."},
    a.SelfSubjectReviewStatus: {"": "Who asks.", "userInfo": "The user, with its groups."},
}
