"""A range of Service addresses says that it is ready, and does not go while addresses of it are in use."""

import pytest
from played_api import PlayedApi, words

from minik8s.api import codec
from minik8s.api.networking import IPAddress, ServiceCIDR
from minik8s.controllers.servicecidrs.plan import FINALIZER, plan

NOW = 1_800_000_000.0


def cidr(*cidrs: str, name: str = "more", going: bool = False, held: bool = True) -> ServiceCIDR:
    meta = {"name": name, "uid": f"uid-{name}", "resourceVersion": "1", "finalizers": [FINALIZER] if held else []}
    if going:
        meta["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    return codec.from_dict(ServiceCIDR, {"metadata": meta, "spec": {"cidrs": cidrs}})


def used(*names: str) -> list[IPAddress]:
    return [codec.from_dict(IPAddress, {"metadata": {"name": name}}) for name in names]


OTHER = cidr("10.0.0.0/16", name="kubernetes")
# name: (range, the others, addresses in use, the plan)
WORLDS = {
    "new": (cidr("10.0.1.0/24", held=False), [OTHER], [], ["patch servicecidrs more"]),
    "held": (cidr("10.0.1.0/24"), [OTHER], used("10.0.1.1"), ["patch servicecidrs/status more"]),
    "going, unused": (cidr("10.9.1.0/24", going=True), [OTHER], used("10.0.1.1"), ["patch servicecidrs more"]),
    "going, in use": (cidr("10.9.1.0/24", going=True), [OTHER], used("10.9.1.1"), ["patch servicecidrs/status more"]),
    "going, another has it": (cidr("10.0.1.0/24", going=True), [OTHER], used("10.0.1.1"), ["patch servicecidrs more"]),
    "going, and so is the other": (
        cidr("10.0.1.0/24", going=True),
        [cidr("10.0.0.0/16", name="kubernetes", going=True)],
        used("10.0.1.1"),
        ["patch servicecidrs/status more"],
    ),
    "two families": (
        cidr("10.9.0.0/24", "fd00::/64", going=True), [OTHER], used("fd00::1"), ["patch servicecidrs/status more"]
    ),
}  # fmt: skip


@pytest.mark.parametrize("world", WORLDS, ids=str)
def test_a_world_has_exactly_this_plan(world):
    found, others, addresses, expected = WORLDS[world]
    assert words(plan(found, others, addresses, NOW)) == expected


@pytest.mark.parametrize("going", [True, False])
def test_what_was_said_is_not_said_again(going):
    api = PlayedApi(cidr("10.9.0.0/16", going=going, held=False))
    for _ in range(3):
        api.apply(plan(api.get(ServiceCIDR, "more"), [], used("10.9.0.1"), NOW))
    (ready,) = api.get(ServiceCIDR, "more").status.conditions
    assert (ready.type, ready.status) == ("Ready", "False" if going else "True")
    assert plan(api.get(ServiceCIDR, "more"), [], used("10.9.0.1"), NOW) == []
