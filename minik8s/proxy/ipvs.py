"""The kernel's IPVS and the link `kube-ipvs0`, in the namespace of the thread that asks: what is there, and changes to
it. The only file beside `host/netlink.py` that imports pyroute2.

What is there is read from `/proc/net/ip_vs`, which a learner can read too: one read, however many Services. Not every
kernel has IPVS (the module `ip_vs`); where it is absent, that is said before anything is changed.

Read next: `virtual/plan.py`, which decides what is asked for here.
"""

import errno
import ipaddress
import shutil
import socket
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from pyroute2 import IPVS, IPRoute, IPVSDest, IPVSService

from minik8s import params
from minik8s.host import clock, netlink, processes, sysctl
from minik8s.proxy.layout import IPV6, Family
from minik8s.proxy.virtual.plan import Action, Key, Real, State, Target, Virtual

MODULE = "ip_vs"
# Comes with the module, in every namespace, and only if IPVS was built with connection tracking, which we need.
SETTING = "net.ipv4.vs.conntrack"
SETTINGS = {
    # IPVS' connections are known to connection tracking, so that nftables can replace their source.
    SETTING: 1,
    # A connection whose server was deleted ends at its next packet instead of hanging (kube-proxy sets both).
    "net.ipv4.vs.expire_nodest_conn": 1,
    # A client that is remembered with a server of weight 0 is given another one.
    "net.ipv4.vs.expire_quiescent_template": 1,
    # Every node has every Service address on kube-ipvs0: none of them must answer for it on the LAN (strictARP).
    "net.ipv4.conf.all.arp_ignore": 1,
    "net.ipv4.conf.all.arp_announce": 2,
}
TABLE = Path("/proc/thread-self/net/ip_vs")
PERSISTENT, MASQUERADE = 0x1, 0  # IP_VS_SVC_F_PERSISTENT, IP_VS_CONN_F_MASQ
PROTOCOLS = {"tcp": socket.IPPROTO_TCP, "udp": socket.IPPROTO_UDP, "sctp": socket.IPPROTO_SCTP}


class NoIpvs(Exception):
    """This kernel cannot do it; the message says what to do."""


class Refused(Exception):
    """The kernel refused something; the message says what, one line each. The rest was done."""


# --- Is it there? -----------------------------------------------------------------------------------------------------


def look() -> None:
    """Is IPVS here, or could it be loaded? Changes nothing; an error says why not."""
    _modprobe("--dry-run")


def load() -> None:
    """Have IPVS ready. NoIpvs: this kernel has none."""
    try:
        _modprobe()
        sysctl.read(SETTING)
    except (OSError, processes.CommandError) as error:
        raise NoIpvs(
            f"--proxy-mode ipvs: this kernel has no IPVS (module {MODULE}: {error}). Nothing was changed. "
            "Use --proxy-mode nftables, or a kernel with it (Debian's and Ubuntu's have it)"
        ) from error


def _modprobe(*options: str) -> None:
    if sysctl.exists(SETTING):
        return
    if not shutil.which("modprobe"):
        raise OSError("not there, and no modprobe to load it")
    processes.run(["modprobe", *options, MODULE])


# --- What is there ----------------------------------------------------------------------------------------------------


def observe(family: Family) -> tuple[State, tuple[str, ...]]:
    """A family's virtual services in this namespace, whoever made them, with the addresses of `kube-ipvs0`; and the
    addresses that node ports are served on: all others but loopback's and link-local ones.
    """
    found = netlink.addresses_of_links(6 if family is IPV6 else 4)
    usable = {link: [one for one in found[link] if not one.startswith("fe80:")] for link in sorted(found)}
    virtuals = read(text(), clock.ticks_per_second())
    state = State(
        {key: one for key, one in virtuals.items() if family.own([key.address])},
        frozenset(usable.pop(params.IPVS_LINK, ())),
    )
    return state, tuple(sorted({one for link, given in usable.items() if link != "lo" for one in given}))


def text() -> str:
    """The kernel's own listing; "" where IPVS is not loaded."""
    return TABLE.read_text() if TABLE.exists() else ""


def read(listing: str, ticks_per_second: int) -> dict[Key, Virtual]:
    """The listing's virtual services. It gives timeouts in the kernel's ticks, and leaves out those it has not."""
    found: dict[Key, Virtual] = {}
    reals: dict[Target, Real] = {}
    for line in listing.splitlines():
        words = line.split()
        if words[:1] == ["->"] and words[1] != "RemoteAddress:Port":
            reals[_target(words[1])] = Real(*map(int, words[3:6]))
        elif words and words[0].lower() in PROTOCOLS:
            reals = {}
            seconds = int(words[words.index("persistent") + 1]) // ticks_per_second if "persistent" in words else 0
            found[Key(words[0].lower(), *_target(words[1]))] = Virtual(seconds, words[2], reals)
    return found


@lru_cache(maxsize=1 << 15)  # the listing is read again and again
def _target(word: str) -> Target:
    """`0A600005:0050` or `[fd00:0096:…:0005]:0050`."""
    address, _, port = word.rpartition(":")
    if address.startswith("["):
        return str(ipaddress.IPv6Address(address.strip("[]"))), int(port, 16)
    return str(ipaddress.IPv4Address(int(address, 16))), int(port, 16)


# --- Changes ----------------------------------------------------------------------------------------------------------


def prepare() -> None:
    """The link and the settings that everything else needs."""
    for name, value in SETTINGS.items():
        sysctl.write(name, value)
    netlink.add_dummy(params.IPVS_LINK)
    netlink.set_up(params.IPVS_LINK)


def left_behind() -> bool:
    """Was a proxy in IPVS mode here?"""
    return netlink.link(params.IPVS_LINK) is not None


def remove_link() -> None:
    """With all addresses on it."""
    netlink.delete_link(params.IPVS_LINK)


def apply(actions: Sequence[Action]) -> None:
    """All of them, in order. Refused: some could not be done; who asks again finds the rest done."""
    if not actions:
        return
    refused: list[str] = []
    with IPVS() as ipvs, IPRoute() as ipr:
        index = next(iter(ipr.link_lookup(ifname=params.IPVS_LINK)), 0)
        for action in actions:
            try:
                if action.address:
                    _address(ipr, index, action)
                elif action.real:
                    ipvs.dest(action.do[:3], _service(action), _real(action))
                else:
                    ipvs.service(action.do[:3], _service(action))
            except netlink.NetlinkError as error:
                if error.code not in _DONE[action.do]:
                    refused.append(f"{action}: {error}")
    if refused:
        raise Refused("\n".join(refused))


# It is so already, or pyroute2 says so after doing it.
_DONE = {"add": (errno.EEXIST,), "set": (), "delete": (errno.ENOENT, errno.ESRCH, errno.EADDRNOTAVAIL)}


def _address(ipr: IPRoute, index: int, action: Action) -> None:
    length = 128 if ":" in action.address else 32
    ipr.addr(action.do[:3], index=index, address=action.address, prefixlen=length)


def _service(action: Action) -> IPVSService:
    assert action.key
    known = {"addr": action.key.address, "port": action.key.port, "protocol": PROTOCOLS[action.key.protocol]}
    if not action.virtual:
        return IPVSService(**known)
    # For IPv6 the kernel wants the length of the mask, in the byte order of an address.
    mask = "128.0.0.0" if ":" in action.key.address else "255.255.255.255"
    flags = {"flags": PERSISTENT if action.virtual.persistent else 0, "mask": 0xFFFFFFFF}
    settings = {"sched_name": action.virtual.scheduler, "timeout": action.virtual.persistent}
    return IPVSService(**known, **settings, flags=flags, netmask=mask)


def _real(action: Action) -> IPVSDest:
    assert action.real
    address, port = action.real
    return IPVSDest(addr=address, port=port, weight=action.weight, fwd_method=MASQUERADE)
