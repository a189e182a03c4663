"""Projected volumes: what is in them, when it is renewed, and what is there when nobody answers."""

import base64
import json

import pytest

from minik8s.agent import projection
from minik8s.agent.environment import ConfigError, Sources
from minik8s.agent.projector import Projector
from minik8s.agent.world.volumes import Volumes
from minik8s.api import codec
from minik8s.api.core import ConfigMap, Pod, Secret
from minik8s.api.meta import Status
from minik8s.apiserver.auth.accounts import admit
from minik8s.client.rest import ApiError, NotFound, Unreachable

SPEC = {"containers": [{"name": "main", "image": "x:1"}], "serviceAccountName": "robot"}
ROOT = codec.from_dict(ConfigMap, {"metadata": {"name": "kube-root-ca.crt"}, "data": {"ca.crt": "PEM", "x": "y"}})


def token(issued, life):
    part = base64.urlsafe_b64encode(json.dumps({"iat": issued, "exp": issued + life}).encode()).rstrip(b"=")
    return f"e30.{part.decode()}.sig"


class Api:
    """Hands out tokens of ten minutes; counts what it is asked; can be away, or know no ServiceAccount."""

    def __init__(self):
        self.now, self.asked, self.failure = 1000.0, [], None

    def post(self, cls, *what, why):
        if self.failure:
            raise self.failure
        name, namespace, _, asked = what
        self.asked.append((name, namespace, asked.spec.boundObjectRef.uid, asked.spec.expirationSeconds))
        return {"status": {"token": token(self.now, 600)}}

    def fetch(self, pod, addresses, named):
        if self.failure:
            raise self.failure
        return Sources(configmaps={"kube-root-ca.crt": ROOT} if "kube-root-ca.crt" in named[0] else {})


class Registry:
    """Knows every ServiceAccount that is asked for."""

    class cache:
        @staticmethod
        def get(key):
            return b'{"metadata":{"name":"robot"}}'


def pod(**spec):
    made = codec.from_dict(
        Pod, {"metadata": {"name": "web", "namespace": "shop", "uid": "u1"}, "spec": {**SPEC, **spec}}
    )
    admit(Registry, made)
    return made


@pytest.fixture
def world(tmp_path, monkeypatch):
    api = Api()
    monkeypatch.setattr("minik8s.host.clock.wall", lambda: api.now)
    volumes = Volumes(tmp_path)
    return api, volumes, Projector(api, volumes, api.fetch)


def read(volumes, mounted):
    (volume,) = mounted.spec.volumes
    place = volumes.binds(mounted, mounted.spec.containers[0], Sources())[0].partition(":")[0]
    assert place.endswith(f"volume-{volume.name}")
    return {
        name: (volumes.projected("u1", volume.name) / name).read_text() for name in ("token", "ca.crt", "namespace")
    }


def test_a_pod_finds_its_token_the_authority_and_its_namespace_as_files(world):
    api, volumes, projector = world
    mounted = pod()
    projector.ensure(mounted, ("10.244.1.5",))
    assert read(volumes, mounted) == {"token": token(1000.0, 600), "ca.crt": "PEM", "namespace": "shop"}
    assert api.asked == [("robot", "shop", "u1", 3607)]
    (mount,) = mounted.spec.containers[0].volumeMounts
    assert (mount.mountPath, mount.readOnly) == ("/var/run/secrets/kubernetes.io/serviceaccount", True)


def test_a_token_is_renewed_at_four_fifths_of_its_life_and_not_before(world):
    api, volumes, projector = world
    mounted = pod()
    projector.ensure(mounted, ())
    for later, times in ((479, 1), (480, 2), (900, 2), (960, 3)):
        api.now = 1000.0 + later
        projector.refresh([mounted])
        assert len(api.asked) == times, later
    assert read(volumes, mounted)["token"] == token(1960.0, 600)


def test_an_agent_that_was_restarted_knows_from_the_files_what_is_due(world):
    api, volumes, projector = world
    mounted = pod()
    projector.ensure(mounted, ())
    Projector(api, volumes, api.fetch).ensure(mounted, ())
    assert len(api.asked) == 1


def test_containers_start_again_while_the_api_server_is_away_but_not_for_the_first_time(world):
    api, volumes, projector = world
    mounted = pod()
    api.failure = Unreachable("away")
    with pytest.raises(Unreachable):
        projector.ensure(mounted, ())
    api.failure = None
    projector.ensure(mounted, ())
    api.failure, api.now = Unreachable("away"), 9999.0
    projector.ensure(mounted, ())
    projector.refresh([mounted])
    assert read(volumes, mounted)["token"] == token(1000.0, 600)


def test_whoever_reads_while_all_is_replaced_sees_one_version_and_nothing_is_left_over(tmp_path):
    volumes = Volumes(tmp_path)
    for version in (b"1", b"2", b"3"):
        volumes.write_projected("u1", "v", {"a": (version, 0o644), "dir/b": (version, 0o400)})
        root = tmp_path / "u1" / "volume-v"
        assert (root / "a").read_bytes() == (root / "dir/b").read_bytes() == version
        assert (root / "dir/b").stat().st_mode & 0o777 == 0o400
        assert len([each for each in root.iterdir() if each.is_dir() and not each.is_symlink()]) == 1
        assert not (root / "..data").readlink().is_absolute()


def test_what_a_pod_waits_for_is_named(world):
    api, volumes, _ = world
    with pytest.raises(ConfigError, match=r'configmap "kube-root-ca\.crt" not found'):
        Projector(api, volumes, lambda *_: Sources()).ensure(pod(), ())
    for failure, message in ((NotFound, 'serviceaccount "robot" not found'), (ApiError, "no token for the Pod: no")):
        api.failure = failure(Status(code=404, reason="NotFound", message="no"))
        sources = Sources(configmaps={"kube-root-ca.crt": ROOT})
        with pytest.raises(ConfigError, match=message):
            Projector(api, volumes, lambda *_, found=sources: found).ensure(pod(), ())


def test_every_source_of_a_projected_volume_becomes_files():
    parts = [
        {"secret": {"name": "s", "items": [{"key": "k", "path": "deep/k", "mode": 0o400}]}},
        {"configMap": {"name": "none", "optional": True}},
        {"downwardAPI": {"items": [{"path": "labels", "fieldRef": {"fieldPath": "metadata.labels"}}]}},
    ]
    labelled = codec.from_dict(Pod, {"metadata": {"name": "web", "labels": {"app": "a", "b": '"'}}})
    labelled.spec = codec.from_dict(Pod, {"spec": {"volumes": [{"name": "v", "projected": {"sources": parts}}]}}).spec
    secret = codec.from_dict(Secret, {"metadata": {"name": "s"}, "data": {"k": "aGk=", "other": ""}})
    source = projection.source_of(labelled.spec.volumes[0])
    assert projection.named_in([source]) == ({"none"}, {"s"})
    found = projection.files(labelled, source, Sources(secrets={"s": secret}), {})
    assert found == {"deep/k": (b"hi", 0o400), "labels": (b'app="a"\nb="\\""', 0o644)}


def test_nothing_leads_out_of_a_volume():
    for path in ("../x", "/etc/x", "a/../../x"):
        with pytest.raises(ConfigError):
            projection.inside(path)
