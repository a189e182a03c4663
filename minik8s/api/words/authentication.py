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
}
