"""Links, addresses and routes of the namespace the current thread is in. Beside `proxy/ipvs.py` the only file
that imports pyroute2.

To act in another namespace, call through `namespaces.in_ns`. Everything here may be done twice: what already stands
is left as it is, what is already gone is no error. Every call opens a socket of its own, because a shared one keeps
one more descriptor open for each thread that ever used it; and none is given a namespace to enter, because pyroute2
forks the process for that.
"""

import errno
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pyroute2 import IPRoute
from pyroute2.netlink.exceptions import NetlinkError as NetlinkError  # others catch it without importing pyroute2

AF_INET, AF_INET6 = 2, 10
IFF_UP = 1
IFA_F_NODAD, IFA_F_NOPREFIXROUTE = 0x02, 0x200
RT_TABLE_MAIN = 254
RTN_UNICAST, RTN_UNREACHABLE = 1, 7
NOT_ASSIGNED = 0xFFFFFFFF  # NETNSA_NSID_NOT_ASSIGNED
NAME_LIMIT = 15  # IFNAMSIZ, without the closing zero


@dataclass(frozen=True)
class Link:
    name: str
    index: int
    kind: str  # veth, bridge, … ; "" for physical ones and lo
    up: bool
    mac: str
    mtu: int
    master: int  # index of the bridge it is plugged into, 0 for none
    alt_names: tuple[str, ...]


@dataclass(frozen=True)
class Route:
    dst: str  # a prefix; "default" for everything
    via: str
    dev: str
    proto: int
    unreachable: bool = False


# --- Links ------------------------------------------------------------------------------------------------------------


def links() -> list[Link]:
    with IPRoute() as ipr:
        return sorted((_link(message) for message in ipr.get_links()), key=lambda link: link.index)


def link(name: str) -> Link | None:
    """A link by its name or its alternative name."""
    return next((each for each in links() if name == each.name or name in each.alt_names), None)


def add_bridge(name: str) -> None:
    if link(name):
        return
    with IPRoute() as ipr:
        # No spanning tree and no forward delay: a port carries packets the moment it is up.
        ipr.link("add", ifname=name, kind="bridge", br_forward_delay=0, br_stp_state=0)
    # A bridge borrows the lowest address of its ports unless it is told one, and would confuse neighbours as ports
    # come and go.
    made = link(name)
    if made:
        set_mac(name, made.mac)


def add_dummy(name: str) -> None:
    """A link that leads nowhere: a place for addresses."""
    _ignore(errno.EEXIST, lambda ipr: ipr.link("add", ifname=name, kind="dummy"))


def add_veth(name: str, peer: str, *, peer_ns_pid: int = 0, peer_ns_fd: int = -1, bridge: str = "") -> None:
    """A cable: `name` here (up, plugged into `bridge`), `peer` in the namespace of a process or an open descriptor."""
    far: dict[str, Any] = {"ifname": peer}
    if peer_ns_pid:
        far["net_ns_pid"] = peer_ns_pid
    if peer_ns_fd >= 0:
        far["net_ns_fd"] = peer_ns_fd
    near: dict[str, Any] = {"ifname": name, "kind": "veth", "state": "up", "peer": far}
    with IPRoute() as ipr:
        if bridge:
            near["master"] = _index(ipr, bridge)
        ipr.link("add", **near)


def delete_link(name: str) -> None:
    _ignore(errno.ENODEV, lambda ipr: ipr.link("del", index=_index(ipr, name)))


def set_up(name: str) -> None:
    with IPRoute() as ipr:
        ipr.link("set", index=_index(ipr, name), state="up")


def set_down(name: str) -> None:
    with IPRoute() as ipr:
        ipr.link("set", index=_index(ipr, name), state="down")


def set_mac(name: str, mac: str) -> None:
    with IPRoute() as ipr:
        ipr.link("set", index=_index(ipr, name), address=mac)


def set_hairpin(name: str, on: bool = True) -> None:
    """Let a bridge send a packet back out of the port it came in by: a Pod that reaches itself through its Service."""
    with IPRoute() as ipr:
        ipr.brport("set", index=_index(ipr, name), mode=int(on))


def add_alt_name(name: str, alternative: str) -> None:
    """The full name of a link whose own had to be cut to 15 characters; `ip link show NAME` accepts both."""
    _ignore(errno.EEXIST, lambda ipr: ipr.link("property_add", index=_index(ipr, name), altname=alternative))


def knows_namespace_of(pid: int) -> bool:
    """Is there a number here for the network namespace of this process?

    The kernel gives one to every namespace in which a cable from here ends (RTM_GETNSID, see `ip netns list-id`).
    """
    with IPRoute() as ipr:
        found = ipr.get_netnsid(pid=pid)
        return bool(found) and found["nsid"] != NOT_ASSIGNED


# --- Addresses --------------------------------------------------------------------------------------------------------


def addresses(name: str = "") -> list[str]:
    """Addresses with their prefix length, `192.168.56.11/24`; of one link, or of all."""
    with IPRoute() as ipr:
        found = ipr.get_addr(index=_index(ipr, name)) if name else ipr.get_addr()
        return sorted(f"{message.get_attr('IFA_ADDRESS')}/{message['prefixlen']}" for message in found)


def addresses_of_links(version: int) -> dict[str, list[str]]:
    """Addresses of one version (4, 6), without prefix length, by link. Two questions to the kernel, however many."""
    with IPRoute() as ipr:
        names = {message["index"]: message.get_attr("IFLA_IFNAME") for message in ipr.get_links()}
        found: dict[str, list[str]] = {name: [] for name in names.values()}
        for message in ipr.get_addr(family=AF_INET6 if version == 6 else AF_INET):
            found[names[message["index"]]].append(message.get_attr("IFA_ADDRESS"))
    return found


def add_address(name: str, address: str) -> None:
    """Give a link an address with its prefix length. An IPv6 one counts at once.

    The kernel would first ask around for a second whether somebody has it already (RFC 4862, 5.4); nobody does, because
    whoever calls this hands the addresses out.
    """
    host, _, length = address.partition("/")
    spec = {"address": host, "prefixlen": int(length), "flags": IFA_F_NODAD if ":" in host else 0}
    _ignore(errno.EEXIST, lambda ipr: ipr.addr("add", index=_index(ipr, name), **spec))


def delete_address(name: str, address: str) -> None:
    host, _, length = address.partition("/")
    _ignore(
        errno.EADDRNOTAVAIL,
        lambda ipr: ipr.addr("del", index=_index(ipr, name), address=host, prefixlen=int(length)),
    )


def link_of(address: str) -> str:
    """The name of the link that has this address; "" when none has."""
    with IPRoute() as ipr:
        for message in ipr.get_addr(address=address):
            return next(each.name for each in links() if each.index == message["index"])
    return ""


def lend_address(name: str, address: str, seconds: int, proto: int) -> None:
    """Give a link an address for so long, or for so long anew. Then the kernel takes it away, whoever is dead by then.

    Whole seconds, and up to half a second more. It is never chosen as the source of the node's own packets: IPv6
    passes over a deprecated address (RFC 6724, rule 3), IPv4 prefers one of the neighbour's own network. `proto` marks
    it, as it marks a route; kernels before 5.18 keep no such mark.
    """
    host, _, length = address.partition("/")
    flags = IFA_F_NODAD | IFA_F_NOPREFIXROUTE if ":" in host else 0
    life = {"ifa_preferred": 0, "ifa_valid": seconds, "cstamp": 0, "tstamp": 0}
    spec = {"address": host, "prefixlen": int(length), "IFA_PROTO": proto, "IFA_FLAGS": flags, "IFA_CACHEINFO": life}
    with IPRoute() as ipr:
        ipr.addr("replace", index=_index(ipr, name), **spec)


def lent_addresses(proto: int) -> dict[str, str]:
    """What `lend_address` gave and nobody has taken away: address with its prefix length, and the link."""
    with IPRoute() as ipr:
        names = {message["index"]: message.get_attr("IFLA_IFNAME") for message in ipr.get_links()}
        found = [message for message in ipr.get_addr() if message.get_attr("IFA_PROTO") == proto]
    return {f"{each.get_attr('IFA_ADDRESS')}/{each['prefixlen']}": names.get(each["index"], "") for each in found}


# --- Routes -----------------------------------------------------------------------------------------------------------


def routes(proto: int | None = None) -> list[Route]:
    """The main table; with `proto`, only the routes that carry this protocol number, which is how we know ours."""
    with IPRoute() as ipr:
        names = {message["index"]: message.get_attr("IFLA_IFNAME") for message in ipr.get_links()}
        found = [m for family in (AF_INET, AF_INET6) for m in ipr.get_routes(family=family, table=RT_TABLE_MAIN)]
    known = [_route(message, names) for message in found if message["type"] in (RTN_UNICAST, RTN_UNREACHABLE)]
    return sorted((r for r in known if proto is None or r.proto == proto), key=lambda r: (r.dst, r.via, r.dev))


def replace_route(dst: str, *, via: str = "", dev: str = "", proto: int, unreachable: bool = False) -> None:
    """Set where packets to a prefix go: to a gateway, out of a link, or nowhere.

    "default" is the rest, of the gateway's family; without a gateway it is IPv4's, and "::/0" is IPv6's.
    """
    with IPRoute() as ipr:
        ipr.route("replace", **_spec(ipr, Route(dst, via, dev, proto, unreachable)))


def delete_route(dst: str, proto: int) -> None:
    """Remove our route to a prefix. One that carries another protocol number is somebody else's and stays."""
    _ignore(errno.ESRCH, lambda ipr: ipr.route("del", **_spec(ipr, Route(dst, "", "", proto), deleting=True)))


# --- Between us and pyroute2 ------------------------------------------------------------------------------------------


def _spec(ipr: IPRoute, route: Route, deleting: bool = False) -> dict[str, Any]:
    spec: dict[str, Any] = {"dst": route.dst, "proto": route.proto, "table": RT_TABLE_MAIN}
    if route.dst == "default":
        spec.update(dst="::/0" if ":" in route.via else "0.0.0.0/0")
    spec["family"] = AF_INET6 if ":" in spec["dst"] else AF_INET
    if route.unreachable:
        spec["type"] = "unreachable"
    if route.via:
        spec["gateway"] = route.via
    if route.dev:
        spec["oif"] = _index(ipr, route.dev)
    if deleting:
        spec["type"] = 0  # of whatever type it is
        spec["scope"] = 255  # and of whatever scope
    return spec


def _index(ipr: IPRoute, name: str) -> int:
    # Names longer than the kernel allows for a link can only be alternative ones.
    found = ipr.link_lookup(**({"ifname": name} if len(name) <= NAME_LIMIT else {"altname": name}))
    if not found:
        raise NetlinkError(errno.ENODEV, f"no link named {name}")
    return int(found[0])


def _ignore(number: int, operation: Callable[[IPRoute], object]) -> None:
    with IPRoute() as ipr:
        try:
            operation(ipr)
        except NetlinkError as error:
            if error.code != number:
                raise


def _link(message: Any) -> Link:
    info = message.get_attr("IFLA_LINKINFO")
    properties = message.get_attr("IFLA_PROP_LIST")
    return Link(
        name=message.get_attr("IFLA_IFNAME"),
        index=message["index"],
        kind=(info.get_attr("IFLA_INFO_KIND") if info else "") or "",
        up=bool(message["flags"] & IFF_UP),
        mac=message.get_attr("IFLA_ADDRESS") or "",
        mtu=message.get_attr("IFLA_MTU") or 0,
        master=message.get_attr("IFLA_MASTER") or 0,
        alt_names=tuple(properties.get_attrs("IFLA_ALT_IFNAME")) if properties else (),
    )


def _route(message: Any, names: dict[int, str]) -> Route:
    dst = message.get_attr("RTA_DST")
    return Route(
        dst=f"{dst}/{message['dst_len']}" if dst else "default",
        via=message.get_attr("RTA_GATEWAY") or "",
        dev=names.get(message.get_attr("RTA_OIF") or 0, ""),
        proto=message["proto"],
        unreachable=message["type"] == RTN_UNREACHABLE,
    )
