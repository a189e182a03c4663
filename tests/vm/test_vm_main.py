"""The whole proxy in IPVS mode against a real API server: the story of `tests/integration/test_proxy_api.py`."""

from collections.abc import Callable
from pathlib import Path

import pytest
import test_proxy_api as rules

from minik8s.api import core
from minik8s.api.addresses import host_port
from minik8s.proxy import ipvs
from minik8s.proxy.layout import IPV4

inside = rules.inside


class World(rules.World):
    """Where the targets of a Service stand in IPVS."""

    def rules(self) -> dict[str, list[str]]:
        names = {one.spec.clusterIP: one.metadata.name for one in self.admin.list(core.Service, "default").items}
        return {
            f"svc/default/{names.get(key.address, key.address)}/http": [
                host_port(*target) for target, real in sorted(virtual.reals.items()) if real.weight
            ]
            for key, virtual in ipvs.observe(IPV4)[0].virtuals.items()
        }


@pytest.mark.timeout(400)
def test_services_reach_ipvs_and_survive_restarts_of_proxy_and_api_server(
    tmp_path: Path, inside: Callable[[Callable[[], None]], None]
) -> None:
    inside(lambda: rules.story(tmp_path, lambda folder, server, admin: World(folder, server, admin, "ipvs")))
