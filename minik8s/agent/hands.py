"""Everything that acts on the world for the agent, in one value: Docker, network, probes, volumes, and who is told.

Read next: doing.py, which turns actions into calls of these.
"""

from collections.abc import Callable
from dataclasses import dataclass

from minik8s.agent.environment import Sources
from minik8s.agent.recipe import Home
from minik8s.agent.telling import Teller
from minik8s.agent.world.docker import Engine
from minik8s.agent.world.network import PodNetwork
from minik8s.agent.world.probes import Prober
from minik8s.agent.world.volumes import Volumes
from minik8s.api.pods import Pod


@dataclass(frozen=True, kw_only=True)
class Hands:
    home: Home
    node_addresses: tuple[str, ...]  # of each family one, the node's own family first
    engine: Engine
    network: PodNetwork
    prober: Prober
    volumes: Volumes
    tell: Teller
    # What a Pod's environment and files are made from, given its addresses.
    sources: Callable[[Pod, tuple[str, ...]], Sources]
    project: Callable[[Pod, tuple[str, ...]], None]  # write its projected volumes, given its addresses
    finish: Callable[[Pod, str], None]  # remove the Pod object, saying why
    own_machine: Callable[[], bool]  # is this process in the machine's own network namespace?

    @property
    def node_address(self) -> str:
        return self.node_addresses[0]
