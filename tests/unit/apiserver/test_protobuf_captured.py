"""Bytes that kubectl 1.33 really sent, and what they mean: proof that the table of numbers is upstream's."""

import base64

import pytest

from minik8s.apiserver.wire import protobuf

# What was typed, what went over the wire, and what it says.
SENT = [
    (
        "create namespace shop",
        "azhzAAoPCgJ2MRIJTmFtZXNwYWNlEhwKFAoEc2hvcBIAGgAiACoAMgA4AEIAEgAaAgoAGgAiAA==",
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}},
    ),
    (
        "create deployment web --image=i:1 --port=80 --replicas=0",
        (
            "azhzAAoVCgdhcHBzL3YxEgpEZXBsb3ltZW50ErIBCh8KA3dlYhIAGgAiACoAMgA4AEIAWgoKA2FwcBIDd2ViEoABCAASDAoKCgNh"
            "cHASA3dlYhpmChwKABIAGgAiACoAMgA4AEIAWgoKA2FwcBIDd2ViEkYSKAoBaRIDaToxKgAyCgoAEAAYUCIAKgBCAGoAcgCAAQCI"
            "AQCQAQCiAQAaADIAQgBKAFIAWABgAGgAggEAigEAmgEAwgEAIgIKACgAOAAaDAgAEAAYACAAKAA4ABoAIgA="
        ),
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": "web", "labels": {"app": "web"}},
            "spec": {
                "replicas": 0,
                "selector": {"matchLabels": {"app": "web"}},
                "template": {
                    "metadata": {"labels": {"app": "web"}},
                    "spec": {"containers": [{"name": "i", "image": "i:1", "ports": [{"containerPort": 80}]}]},
                },
            },
        },
    ),
    (
        "create configmap settings --from-literal=a=b",
        "azhzAAoPCgJ2MRIJQ29uZmlnTWFwEiIKGAoIc2V0dGluZ3MSABoAIgAqADIAOABCABIGCgFhEgFiGgAiAA==",
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings"}, "data": {"a": "b"}},
    ),
    (
        "create secret generic hidden --from-literal=k=v",
        "azhzAAoMCgJ2MRIGU2VjcmV0EiIKFgoGaGlkZGVuEgAaACIAKgAyADgAQgASBgoBaxIBdhoAGgAiAA==",
        {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "hidden"}, "data": {"k": "dg=="}},
    ),
    (
        "create service nodeport front --tcp=80:http",
        (
            "azhzAAoNCgJ2MRIHU2VydmljZRJxCiMKBWZyb250EgAaACIAKgAyADgAQgBaDAoDYXBwEgVmcm9udBJGCh4KBzgwLWh0dHASA1RD"
            "UBhQIgoIARAAGgRodHRwKAASDAoDYXBwEgVmcm9udBoAIghOb2RlUG9ydDoAQgBSAFoAYABoABoCCgAaACIA"
        ),
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": "front", "labels": {"app": "front"}},
            "spec": {
                "ports": [{"name": "80-http", "protocol": "TCP", "port": 80, "targetPort": "http"}],
                "selector": {"app": "front"},
                "type": "NodePort",
            },
        },
    ),
    (
        "create serviceaccount robot",
        "azhzAAoUCgJ2MRIOU2VydmljZUFjY291bnQSFwoVCgVyb2JvdBIAGgAiACoAMgA4AEIAGgAiAA==",
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "robot"}},
    ),
    (
        "create token robot --duration=10m --audience=a",
        (
            "azhzAAooChhhdXRoZW50aWNhdGlvbi5rOHMuaW8vdjESDFRva2VuUmVxdWVzdBIgChAKABIAGgAiACoAMgA4AEIAEgYKAWEg2AQa"
            "BAoAEgAaACIA"
        ),
        {
            "apiVersion": "authentication.k8s.io/v1",
            "kind": "TokenRequest",
            "spec": {"audiences": ["a"], "expirationSeconds": 600},
        },
    ),
    (
        "create job once --image=i:1 -- true",
        (
            "azhzAAoPCghiYXRjaC92MRIDSm9iEoABChQKBG9uY2USABoAIgAqADIAOABCABJeMlwKEAoAEgAaACIAKgAyADgAQgASSBIlCgRv"
            "bmNlEgNpOjEaBHRydWUqAEIAagByAIABAIgBAJABAKIBABoFTmV2ZXIyAEIASgBSAFgAYABoAIIBAIoBAJoBAMIBABoIIAAoADAA"
            "OgAaACIA"
        ),
        {
            "apiVersion": "batch/v1",
            "kind": "Job",
            "metadata": {"name": "once"},
            "spec": {
                "template": {
                    "spec": {
                        "containers": [{"name": "once", "image": "i:1", "command": ["true"]}],
                        "restartPolicy": "Never",
                    }
                }
            },
        },
    ),
    (
        "create pdb few --selector=app=web --min-available=2",
        (
            "azhzAAogCglwb2xpY3kvdjESE1BvZERpc3J1cHRpb25CdWRnZXQSOQoTCgNmZXcSABoAIgAqADIAOABCABIWCgYIABACGgASDAoK"
            "CgNhcHASA3dlYhoKCAAYACAAKAAwABoAIgA="
        ),
        {
            "apiVersion": "policy/v1",
            "kind": "PodDisruptionBudget",
            "metadata": {"name": "few"},
            "spec": {"selector": {"matchLabels": {"app": "web"}}, "minAvailable": 2},
        },
    ),
    (
        "create role reader --verb=get,list --resource=pods --resource-name=x",
        (
            "azhzAAokChxyYmFjLmF1dGhvcml6YXRpb24uazhzLmlvL3YxEgRSb2xlEjAKFgoGcmVhZGVyEgAaACIAKgAyADgAQgASFgoDZ2V0"
            "CgRsaXN0EgAaBHBvZHMiAXgaACIA"
        ),
        {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "Role",
            "metadata": {"name": "reader"},
            "rules": [{"verbs": ["get", "list"], "apiGroups": [""], "resources": ["pods"], "resourceNames": ["x"]}],
        },
    ),
    (
        "create rolebinding readers --role=reader --user=jane --serviceaccount=default:robot",
        (
            "azhzAAorChxyYmFjLmF1dGhvcml6YXRpb24uazhzLmlvL3YxEgtSb2xlQmluZGluZxKTAQoXCgdyZWFkZXJzEgAaACIAKgAyADgA"
            "QgASKQoEVXNlchIZcmJhYy5hdXRob3JpemF0aW9uLms4cy5pbxoEamFuZSIAEiIKDlNlcnZpY2VBY2NvdW50EgAaBXJvYm90Igdk"
            "ZWZhdWx0GikKGXJiYWMuYXV0aG9yaXphdGlvbi5rOHMuaW8SBFJvbGUaBnJlYWRlchoAIgA="
        ),
        {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "RoleBinding",
            "metadata": {"name": "readers"},
            "subjects": [
                {"kind": "User", "apiGroup": "rbac.authorization.k8s.io", "name": "jane"},
                {"kind": "ServiceAccount", "name": "robot", "namespace": "default"},
            ],
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "reader"},
        },
    ),
    (
        "create ingress way --rule=a.test/x*=front:80,tls=s",
        (
            "azhzAAofChRuZXR3b3JraW5nLms4cy5pby92MRIHSW5ncmVzcxJVChMKA3dheRIAGgAiACoAMgA4AEIAEjoSCwoGYS50ZXN0EgFz"
            "GisKBmEudGVzdBIhCh8KHQoCL3gSDyINCgVmcm9udBIECgAQUBoGUHJlZml4GgIKABoAIgA="
        ),
        {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "Ingress",
            "metadata": {"name": "way"},
            "spec": {
                "tls": [{"hosts": ["a.test"], "secretName": "s"}],
                "rules": [
                    {
                        "host": "a.test",
                        "http": {
                            "paths": [
                                {
                                    "path": "/x",
                                    "backend": {"service": {"name": "front", "port": {"number": 80}}},
                                    "pathType": "Prefix",
                                }
                            ]
                        },
                    }
                ],
            },
        },
    ),
    (
        "auth can-i get pods/log",
        (
            "azhzAAoyChdhdXRob3JpemF0aW9uLms4cy5pby92MRIXU2VsZlN1YmplY3RBY2Nlc3NSZXZpZXcSPwoQCgASABoAIgAqADIAOABC"
            "ABIhCh8KB2RlZmF1bHQSA2dldBoAIgAqBHBvZHMyADoDbG9nGggIABIAGgAgABoAIgA="
        ),
        {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": {"namespace": "default", "verb": "get", "resource": "pods", "name": "log"}},
        },
    ),
    (
        "drain n --disable-eviction --force --grace-period=0",
        "azhzAAoTCgJ2MRINRGVsZXRlT3B0aW9ucxICCAAaACIA",
        {"apiVersion": "v1", "kind": "DeleteOptions", "gracePeriodSeconds": 0},
    ),
]


@pytest.mark.parametrize(("typed", "sent", "said"), SENT, ids=[each[0].split(" --")[0] for each in SENT])
def test_what_kubectl_sent_is_understood(typed, sent, said):
    assert protobuf.decode(base64.b64decode(sent)) == said
