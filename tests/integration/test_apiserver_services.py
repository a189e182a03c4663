"""Addresses and node ports over the wire: given once, given back, never lost, with two servers racing for them."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from support.apiserver import service

from minik8s.apiserver.allocating.allocation import ADDRESSES_PREFIX, NODE_PORTS_PREFIX
from minik8s.store.model import Put, Txn

pytestmark = pytest.mark.system
ADDRESSES = "/apis/networking.k8s.io/v1/ipaddresses"


@pytest.fixture
def claims(api):
    """What is claimed in the store itself: addresses, and node ports with their owners."""
    store = api.etcd.store()

    def now():
        addresses = {kv.key.removeprefix(ADDRESSES_PREFIX) for kv in store.list(ADDRESSES_PREFIX).items}
        ports = {int(kv.key.removeprefix(NODE_PORTS_PREFIX)): kv.value for kv in store.list(NODE_PORTS_PREFIX).items}
        return addresses, ports

    yield now
    store.close()


def held(api) -> tuple[list[str], list[int]]:
    """What the Services say that they have."""
    specs = [item["spec"] for item in api.admin.get("/api/v1/services")["items"]]
    addresses = [ip for spec in specs for ip in spec.get("clusterIPs", []) if ip != "None"]
    return addresses, [port["nodePort"] for spec in specs for port in spec.get("ports", []) if port.get("nodePort")]


def assert_nothing_doubled_nothing_lost(api, claims) -> None:
    addresses, ports = held(api)
    assert len(addresses) == len(set(addresses)) and len(ports) == len(set(ports))
    claimed_addresses, claimed_ports = claims()
    assert (set(addresses), set(ports)) == (claimed_addresses, set(claimed_ports))


def test_a_service_has_an_address_of_its_own_and_an_object_for_it(api, namespace, claims):
    path = f"/api/v1/namespaces/{namespace}/services"
    made = api.admin.post(path, service("web", type="NodePort"))
    address = made["spec"]["clusterIP"]
    parent = api.admin.get(f"{ADDRESSES}/{address}")["spec"]["parentRef"]
    assert parent == {"resource": "services", "namespace": namespace, "name": "web"}
    assert made["spec"]["ports"][0]["nodePort"] in claims()[1]
    api.admin.delete(f"{path}/web")
    api.admin.get(f"{ADDRESSES}/{address}", 404)
    assert_nothing_doubled_nothing_lost(api, claims)


def test_a_change_of_type_gives_back_what_it_does_not_need(api, namespace, claims):
    path = f"/api/v1/namespaces/{namespace}/services"
    made = api.admin.post(path, service("web"))
    opened = api.admin.merge(f"{path}/web", {"spec": {"type": "NodePort"}})
    assert opened["spec"]["clusterIP"] == made["spec"]["clusterIP"]
    assert opened["spec"]["ports"][0]["nodePort"] in claims()[1]
    closed = api.admin.merge(f"{path}/web", {"spec": {"type": "ClusterIP"}})
    assert "nodePort" not in closed["spec"]["ports"][0]
    assert_nothing_doubled_nothing_lost(api, claims)
    outside = api.admin.merge(f"{path}/web", {"spec": {"type": "ExternalName", "externalName": "example.org"}})
    assert "clusterIP" not in outside["spec"]
    api.admin.get(f"{ADDRESSES}/{made['spec']['clusterIP']}", 404)
    headless = {"spec": {"type": "ClusterIP", "externalName": None, "clusterIP": "None"}}
    assert api.admin.merge(f"{path}/web", headless)["spec"]["clusterIPs"] == ["None"]
    assert_nothing_doubled_nothing_lost(api, claims)


def test_a_user_may_choose_what_is_free_and_nothing_else(api, namespace, claims):
    path = f"/api/v1/namespaces/{namespace}/services"
    chosen = service("one", type="NodePort", clusterIP="10.96.0.42", ports=[{"port": 80, "nodePort": 30042}])
    assert api.admin.post(path, chosen)["spec"]["clusterIPs"] == ["10.96.0.42"]
    taken = api.admin.post(path, service("two", clusterIP="10.96.0.42"), 422)
    assert taken["message"] == (
        'Service "two" is invalid: spec.clusterIPs: Invalid value: ["10.96.0.42"]: '
        "failed to allocate IP 10.96.0.42: provided IP is already allocated"
    )
    port = service("two", type="NodePort", ports=[{"port": 80, "nodePort": 30042}])
    assert api.admin.post(path, port, 422)["details"]["causes"][0] == {
        "reason": "FieldValueInvalid",
        "message": "Invalid value: 30042: provided port is already allocated",
        "field": "spec.ports[0].nodePort",
    }
    assert "not in the valid range" in api.admin.post(path, service("two", clusterIP="10.1.1.1"), 422)["message"]
    assert_nothing_doubled_nothing_lost(api, claims)


def test_a_second_address_is_claimed_with_the_second_family_and_given_back_with_it(api, namespace, claims):
    path = f"/api/v1/namespaces/{namespace}/services"
    first = api.admin.post(path, service("web"))["spec"]["clusterIP"]
    both = api.admin.merge(f"{path}/web", {"spec": {"ipFamilyPolicy": "RequireDualStack"}})["spec"]
    second = both["clusterIPs"][1]
    assert (both["clusterIPs"], both["ipFamilies"]) == ([first, second], ["IPv4", "IPv6"])
    found = api.admin.get(f"{ADDRESSES}/{second}")
    assert found["metadata"]["labels"]["ipaddress.kubernetes.io/ip-family"] == "IPv6"
    assert found["spec"]["parentRef"]["name"] == "web"
    taken = service("two", clusterIP=second, clusterIPs=[second])
    assert "provided IP is already allocated" in api.admin.post(path, taken, 422)["message"]
    assert_nothing_doubled_nothing_lost(api, claims)
    assert api.admin.merge(f"{path}/web", {"spec": {"ipFamilyPolicy": "SingleStack"}})["spec"]["clusterIPs"] == [first]
    api.admin.get(f"{ADDRESSES}/{second}", 404)
    assert api.admin.post(path, taken)["spec"]["ipFamilies"] == ["IPv6"]
    assert_nothing_doubled_nothing_lost(api, claims)


def test_two_servers_racing_for_one_choice_give_it_once(api, namespace, claims):
    path = f"/api/v1/namespaces/{namespace}/services"
    clients = [api.admin, api.at_other()]

    def claim(number: int) -> int:
        body = service(f"s{number}", type="NodePort", ports=[{"port": 80, "nodePort": 30043}])
        return clients[number % 2].ask("POST", path, body).status

    with ThreadPoolExecutor(8) as pool:
        codes = list(pool.map(claim, range(16)))
    assert sorted(codes) == [201] + [422] * 15
    assert_nothing_doubled_nothing_lost(api, claims)


def test_two_servers_racing_for_the_last_ports_neither_double_nor_lose_one(api, namespace, claims):
    """All but twelve node ports are claimed; forty Services want one each, through both servers at once."""
    path = f"/api/v1/namespaces/{namespace}/services"
    left = list(range(31000, 31012))
    fill(api, lambda number: number not in left)
    clients = [api.admin, api.at_other()]

    def create(number: int) -> tuple[int, str]:
        answer = clients[number % 2].ask("POST", path, service(f"s{number}", type="NodePort"))
        return answer.status, answer.data.decode()

    def delete(number: int) -> None:
        clients[(number + 1) % 2].ask("DELETE", f"{path}/s{number}")

    try:
        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(create, range(40)))
        assert sorted(code for code, _ in answers) == [201] * 12 + [500] * 28
        assert all("range is full" in text for code, text in answers if code == 500)
        ours = [port for port in held(api)[1] if port in left]
        assert sorted(ours) == left
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(delete, range(40)))
            # What was given back a moment ago is found at once, by either server.
            answers = list(pool.map(create, range(12)))
        assert [code for code, _ in answers] == [201] * 12
    finally:
        unfill(api)
    assert_nothing_doubled_nothing_lost(api, claims)


FILLER = b"a filler of this test"


def fill(api, wanted) -> None:
    store = api.etcd.store()
    free = [n for n in range(30000, 32768) if wanted(n) and store.get(f"{NODE_PORTS_PREFIX}{n}")[0] is None]
    for start in range(0, len(free), 100):
        puts = tuple(Put(f"{NODE_PORTS_PREFIX}{n}", FILLER) for n in free[start : start + 100])
        store.commit(Txn((), puts))
    store.close()


def unfill(api) -> None:
    store = api.etcd.store()
    keys = [kv.key for kv in store.list(NODE_PORTS_PREFIX).items if kv.value == FILLER]
    for start in range(0, len(keys), 100):
        store.commit(Txn((), (), tuple(keys[start : start + 100])))
    store.close()


def test_who_gives_a_service_its_address_takes_its_finalizer_off_through_the_status(api, namespace):
    path = f"/api/v1/namespaces/{namespace}/services"
    made = service("lb", type="LoadBalancer", loadBalancerClass="example.com/cloud", ports=[{"port": 80}])
    made["metadata"]["finalizers"] = ["service.kubernetes.io/load-balancer-cleanup"]
    api.admin.post(path, made)
    kind = {"Content_Type": "application/strategic-merge-patch+json"}
    given = {"status": {"loadBalancer": {"ingress": [{"ip": "192.168.56.240"}]}}}
    told = api.admin.json("PATCH", f"{path}/lb/status", given, 200, **kind)
    assert (told["metadata"]["finalizers"], told["spec"]["type"]) == (made["metadata"]["finalizers"], "LoadBalancer")
    assert api.admin.delete(f"{path}/lb")["metadata"]["deletionTimestamp"]
    off = {"metadata": {"$deleteFromPrimitiveList/finalizers": made["metadata"]["finalizers"]}}
    api.admin.json("PATCH", f"{path}/lb/status", off, 200, **kind)
    assert api.admin.get(f"{path}/lb", 404)["reason"] == "NotFound"
