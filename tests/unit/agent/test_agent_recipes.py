"""How containers are made: environment, names, limits, labels."""

import base64

import pytest
from agent_worlds import a_pod

from minik8s import params
from minik8s.agent import recipe
from minik8s.agent.environment import ConfigError, Sources, environment, expand, service_variables
from minik8s.api import codec
from minik8s.api.core import ConfigMap, Secret, Service

HOME = recipe.Home(cluster="c", node="node-1")
PODS_OWN = ("10.244.1.5", "fd00:244:0:1::5")


def service(name="web", namespace="default", **spec):
    spec = {"clusterIP": "10.96.1.2", "ports": [{"name": "http", "port": 80}], **spec}
    return codec.from_dict(Service, {"metadata": {"name": name, "namespace": namespace}, "spec": spec})


def test_a_service_is_announced_as_upstream_does():
    found = service_variables(a_pod(), [service("my-web")])
    assert found == {
        "MY_WEB_SERVICE_HOST": "10.96.1.2",
        "MY_WEB_SERVICE_PORT": "80",
        "MY_WEB_SERVICE_PORT_HTTP": "80",
        "MY_WEB_PORT": "tcp://10.96.1.2:80",
        "MY_WEB_PORT_80_TCP": "tcp://10.96.1.2:80",
        "MY_WEB_PORT_80_TCP_PROTO": "tcp",
        "MY_WEB_PORT_80_TCP_PORT": "80",
        "MY_WEB_PORT_80_TCP_ADDR": "10.96.1.2",
    }


@pytest.mark.parametrize(
    ("services", "spec", "announced"),
    [
        ([service("far", namespace="other")], {}, set()),
        ([service(clusterIP="None")], {}, set()),
        ([service(clusterIP="")], {}, set()),
        ([service("kubernetes"), service()], {"enableServiceLinks": False}, {"KUBERNETES"}),
        ([service("kubernetes"), service()], {}, {"KUBERNETES", "WEB"}),
    ],
)
def test_only_services_of_the_pods_namespace_are_announced_and_kubernetes_always(services, spec, announced):
    found = service_variables(a_pod(**spec), services)
    assert {name.removesuffix("_SERVICE_HOST") for name in found if name.endswith("_SERVICE_HOST")} == announced


def test_ipv6_addresses_stand_in_brackets_in_urls():
    assert service_variables(a_pod(), [service(clusterIP="fd00::1")])["WEB_PORT"] == "tcp://[fd00::1]:80"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("$(A)/x", "1/x"),
        ("$(NONE)", "$(NONE)"),
        ("$$(A)", "$(A)"),
        ("a$", "a$"),
        ("$(A)$(A)", "11"),
    ],
)
def test_references_are_expanded(text, expected):
    assert expand(text, {"A": "1"}) == expected


def env_of(*variables, sources=None, **container):
    pod = a_pod({"env": list(variables), **container})
    pod.metadata.labels["app"] = "web"
    return environment(
        pod, pod.spec.containers[0], sources or Sources(pod_ips=PODS_OWN, host_ips=("192.168.56.11", "fd00:56::11"))
    )


SOURCES = Sources(
    configmaps={"cm": codec.from_dict(ConfigMap, {"data": {"k": "v", "two": "2"}})},
    secrets={"se": codec.from_dict(Secret, {"data": {"p": base64.b64encode(b"hush").decode()}})},
)


def test_fields_with_addresses_of_both_families_list_them_with_a_comma_and_the_others_have_the_first():
    for field, value in {
        "podIP": "10.244.1.5",
        "podIPs": "10.244.1.5,fd00:244:0:1::5",
        "hostIP": "192.168.56.11",
        "hostIPs": "192.168.56.11,fd00:56::11",
    }.items():
        assert env_of({"name": "F", "valueFrom": {"fieldRef": {"fieldPath": f"status.{field}"}}}) == {"F": value}


def test_values_come_from_fields_configmaps_and_secrets():
    fields = ("metadata.name", "metadata.labels['app']", "status.podIP", "status.hostIP", "metadata.namespace")
    found = env_of(*({"name": f"F{i}", "valueFrom": {"fieldRef": {"fieldPath": f}}} for i, f in enumerate(fields)))
    assert list(found.values()) == ["web-1", "web", "10.244.1.5", "192.168.56.11", "default"]
    found = env_of(
        {"name": "C", "valueFrom": {"configMapKeyRef": {"name": "cm", "key": "k"}}},
        {"name": "S", "valueFrom": {"secretKeyRef": {"name": "se", "key": "p"}}},
        {"name": "BOTH", "value": "$(C)-$(S)"},
        {"name": "two", "value": "env wins"},
        envFrom=[{"configMapRef": {"name": "cm"}}, {"prefix": "X_", "secretRef": {"name": "se"}}],
        sources=SOURCES,
    )
    assert found == {"k": "v", "two": "env wins", "X_p": "hush", "C": "v", "S": "hush", "BOTH": "v-hush"}


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ({"configMapKeyRef": {"name": "no", "key": "k"}}, 'configmap "no" not found'),
        ({"configMapKeyRef": {"name": "cm", "key": "no"}}, "couldn't find key no in configmap cm"),
        ({"secretKeyRef": {"name": "no", "key": "k"}}, 'secret "no" not found'),
        ({"fieldRef": {"fieldPath": "spec.nonsense"}}, "unsupported fieldPath: spec.nonsense"),
    ],
)
def test_what_is_missing_is_named(source, message):
    with pytest.raises(ConfigError, match=message.replace(".", r"\.")):
        env_of({"name": "A", "valueFrom": source}, sources=SOURCES)


def test_what_is_optional_may_be_missing():
    assert (
        env_of(
            {"name": "A", "valueFrom": {"configMapKeyRef": {"name": "no", "key": "k", "optional": True}}},
            envFrom=[{"secretRef": {"name": "no", "optional": True}}],
        )
        == {}
    )


def test_a_pod_asks_the_clusters_dns_and_adds_what_it_was_given():
    pod = a_pod(dnsConfig={"searches": ["x.y"], "options": [{"name": "ndots", "value": "2"}, {"name": "edns0"}]})
    found = recipe.resolver(pod)
    assert found.nameservers == (params.DNS_SERVICE_IP,)
    assert found.searches == ("default.svc.cluster.local", "svc.cluster.local", "cluster.local", "x.y")
    assert found.options == ("ndots:2", "edns0")
    assert "search default.svc.cluster.local" in recipe.resolv_conf(found)


@pytest.mark.parametrize(
    ("spec", "servers"),
    [
        ({"dnsPolicy": "Default"}, ()),
        ({"dnsPolicy": "None", "dnsConfig": {"nameservers": ["1.1.1.1"]}}, ("1.1.1.1",)),
        ({"hostNetwork": True}, ()),
        ({"hostNetwork": True, "dnsPolicy": "ClusterFirstWithHostNet"}, (params.DNS_SERVICE_IP,)),
    ],
)
def test_each_dns_policy_means_what_upstream_means(spec, servers):
    assert recipe.resolver(a_pod(**spec)).nameservers == servers


NODE = recipe.read_resolver("# ours\nnameserver 192.0.2.1\nnameserver 192.0.2.2\nsearch lan\noptions rotate\n")


def test_the_nodes_own_resolver_is_what_default_adds_to():
    assert recipe.Resolver(nameservers=("192.0.2.1", "192.0.2.2"), searches=("lan",), options=("rotate",)) == NODE
    added = {"nameservers": ["192.0.2.3"], "searches": ["x.y", "lan"], "options": [{"name": "ndots", "value": "2"}]}
    found = recipe.resolver(a_pod(dnsPolicy="Default", dnsConfig=added), NODE)
    assert recipe.resolv_conf(found) == (
        "nameserver 192.0.2.1\nnameserver 192.0.2.2\nnameserver 192.0.2.3\nsearch lan x.y\noptions rotate ndots:2\n"
    )
    assert recipe.resolver(a_pod(dnsPolicy="Default"), NODE) == recipe.Resolver()  # the file itself is taken


def test_more_than_six_search_domains_and_256_characters_are_taken():
    long = [f"domain-number-{n:02d}.with-a-long-name.example.com" for n in range(20)]
    found, said = recipe.limited(recipe.resolver(a_pod(dnsConfig={"searches": long})))
    assert found.searches[3:] == tuple(long) and not said


@pytest.mark.parametrize(
    ("config", "kept", "said"),
    [
        ({"nameservers": ["1.1.1.1", "1.1.1.2", "1.1.1.3"]}, (3, 3), "Nameserver limits were exceeded"),
        ({"searches": [f"d{n}.example.com" for n in range(32)]}, (1, 32), "Search Line limits were exceeded"),
        ({"searches": ["x" * 60 + f".n{n}.example.com" for n in range(30)]}, (1, 28), "Search Line limits"),
    ],
)
def test_what_is_more_than_a_resolver_reads_is_left_out_and_said(config, kept, said):
    found, words = recipe.limited(recipe.resolver(a_pod(dnsConfig=config)))
    assert (len(found.nameservers), len(found.searches)) == kept
    assert len(" ".join(found.searches)) <= 2048 and len(words) == 1 and words[0].startswith(said)


def test_on_the_nodes_network_aliases_stand_behind_the_nodes_own_hosts():
    pod = a_pod(hostNetwork=True, hostAliases=[{"ip": "1.2.3.4", "hostnames": ["x", "y"]}])
    assert recipe.hosts_file("127.0.0.1 localhost\n", pod).splitlines() == [
        "127.0.0.1 localhost",
        "",
        "# Entries added by hostAliases.",
        "1.2.3.4\tx y",
    ]


def test_a_sandbox_carries_its_marks_its_name_and_its_address():
    made = recipe.sandbox(
        a_pod(hostname="db", subdomain="back", hostAliases=[{"ip": "1.2.3.4", "hostnames": ["x", "y.example.com"]}]),
        HOME,
        PODS_OWN,
        "abc",
    )
    assert made.name == "k8s_POD_web-1_default_u1_0_abc"
    assert made.hosts == (
        ("db.back.default.svc.cluster.local db", "10.244.1.5"),
        ("db.back.default.svc.cluster.local db", "fd00:244:0:1::5"),
        ("x y.example.com", "1.2.3.4"),
    )
    assert made.labels[params.LABEL_CLUSTER] == "c" and made.labels[params.LABEL_ADDRESS] == ",".join(PODS_OWN)


def test_a_container_gets_its_command_limits_and_marks():
    pod = a_pod(
        {
            "command": ["run", "$(A)"],
            "args": ["$(B)"],
            "env": [{"name": "A", "value": "1"}],
            "resources": {"limits": {"memory": "64Mi", "cpu": "250m"}, "requests": {"cpu": "100m"}},
            "securityContext": {"runAsUser": 1000},
        },
        securityContext={"runAsGroup": 5},
    )
    made = recipe.container(
        pod, pod.spec.containers[0], recipe.Attempt(number=2, streak=1, sandbox="s1"), HOME, Sources()
    )
    assert made.entrypoint == ("run", "1") and made.command == ("$(B)",)
    assert (made.memory, made.cpu_millis, made.cpu_shares) == (64 << 20, 250, 102)
    assert made.user == "1000:5"
    assert made.labels[params.LABEL_ATTEMPT] == "2" and made.labels[params.LABEL_STREAK] == "1"


@pytest.mark.parametrize(
    ("own", "pods", "expected"),
    [
        ({}, {}, (False, True, ())),
        ({"privileged": True}, {}, (True, True, ())),
        ({"allowPrivilegeEscalation": False}, {}, (False, False, ())),
        ({"allowPrivilegeEscalation": True}, {"fsGroup": 7, "supplementalGroups": [8, 9]}, (False, True, (7, 8, 9))),
    ],
)
def test_a_container_has_the_rights_and_groups_that_it_was_given(own, pods, expected):
    pod = a_pod({"securityContext": own}, securityContext=pods)
    attempt = recipe.Attempt(number=0, streak=0, sandbox="s1")
    made = recipe.container(pod, pod.spec.containers[0], attempt, HOME, Sources())
    assert (made.privileged, made.may_gain, made.groups) == expected
