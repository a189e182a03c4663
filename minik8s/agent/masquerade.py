"""The agent's own table, `minik8s-pods`: what leaves the cluster's Pods for elsewhere does so as the node.

Only nodes have routes to Pods. Whoever else a Pod talks to (the control plane behind 10.96.0.1, the world outside)
could not answer a Pod's address, so the node puts its own in place. From Pod to Pod the address stays: that is the
promise of the Pod network. Ports of the node that lead to Pods stand in the same table: `hostports.py`. Pure;
`world/network.py` hands the text to the kernel. Source: what upstream's network plugins call ipMasq.
"""

from collections.abc import Sequence

from minik8s import params
from minik8s.agent import hostports
from minik8s.agent.hostports import HostPort
from minik8s.nft.ruleset import Chain, Hook, Rule, Table


def table(cidr: str, ports: Sequence[HostPort] = ()) -> Table:
    """The table for a node whose Pods have addresses of `cidr`."""
    family, pods = ("ip6", params.CLUSTER_CIDR_V6) if ":" in cidr else ("ip", params.CLUSTER_CIDR)
    leaving = Rule(
        f'oifname != "{params.POD_BRIDGE}" {family} saddr {cidr} {family} daddr != {pods} masquerade fully-random',
        "from a Pod of this node to no Pod: the answer finds back to the node only",
    )
    rules = (leaving, *hostports.returning(family, ports))
    chains = [Chain("nat-postrouting", rules, Hook("nat", "postrouting", "srcnat")), *hostports.chains(family, ports)]
    about = "minik8s Pod network; written by the agent"
    return Table(family, params.TABLE_AGENT, about, chains={chain.name: chain for chain in chains})
