"""Ingresses, and a table of requests: which Service each shall reach. Asked of the pure model
(`ingress.rules.match`) and of HAProxy itself; both must give the same answer.
"""

from minik8s.api import codec
from minik8s.api.networking import Ingress


def ingress(name: str, *rules: str, default: str = "", born: int = 0, **spec: object) -> Ingress:
    """Rules are written `host kind path service`; `-` is no host, the kind is Exact, Prefix or Impl."""
    made: list[dict[str, object]] = []
    for host, kind, path, service in (each.split(" ") for each in rules):
        whole = {"Impl": "ImplementationSpecific"}.get(kind, kind)
        one = {"path": path.replace("␠", " "), "pathType": whole, "backend": backend(service)}
        made.append({"http": {"paths": [one]}, **({} if host == "-" else {"host": host})})
    meta = {"name": name, "namespace": "default", "uid": name, "resourceVersion": "1"}
    meta["creationTimestamp"] = f"2026-01-01T00:00:{born:02d}Z"
    spec = {"rules": made, **({"defaultBackend": backend(default)} if default else {}), **spec}
    return codec.from_dict(Ingress, {"metadata": meta, "spec": spec})


def backend(service: str) -> dict[str, object]:
    return {"service": {"name": service, "port": {"number": 80}}}


INGRESSES = [
    ingress(
        "shop",
        "shop.test Exact /cart exact",
        "shop.test Prefix /cart cart",
        "shop.test Prefix /cart/items/ items",
        "shop.test Prefix / front",
        "shop.test Impl /impl cart",
    ),
    ingress("wild", "*.shop.test Prefix / wild", "*.shop.test Exact /a exact", born=1),
    ingress("named", "a.shop.test Prefix /only cart", born=2),
    ingress("own", "own.test Exact /a exact", default="items", born=3),
    ingress("odd", "odd.test Exact /a␠b exact", "odd.test Prefix /é items", "odd.test Exact /q\";'{}\\ cart", born=4),
    ingress("every", "- Prefix /every cart", born=5),
    ingress("fallback", default="rest", born=6),
    ingress("late", "shop.test Exact /cart front", "late.test Prefix / late", born=7),
]
SERVICES = ("exact", "cart", "items", "front", "wild", "rest", "late")

REQUESTS = """
shop.test           /cart             exact    exact before prefix
shop.test           /cart/            cart     a slash more is another path: the prefix has it
shop.test           /cart/x           cart
shop.test           /cartoon          front    element by element
shop.test           /cart/items       items    a prefix with a slash at its end covers it without one
shop.test           /cart/items/7     items    the longest
shop.test           /cart/itemsx      cart
shop.test           /                 front
shop.test           /Cart             front    paths have case
shop.test           /impl/x           cart     ours is Prefix
shop.test           /cart?a=/x        exact    a query is no path
SHOP.test           /cart             exact    hosts have no case
shop.test:80        /cart             exact    nor a port
shop.test.          /cart             exact    nor a dot at the end
x.shop.test         /                 wild
x.shop.test         /a                exact
x.y.shop.test       /                 rest     a wildcard is one label
a.shop.test         /only/x           cart     the host's own rules before the wildcard's
a.shop.test         /                 rest     and only those
own.test            /a                exact
own.test            /b                items    the default backend of its own Ingress
odd.test            /a%20b            exact    compared as it is sent
odd.test            /%C3%A9/x         items
odd.test            /q%22;'%7B%7D%5C  cart
other.test          /every/x          cart     rules without host
other.test          /                 rest     the default backend for all
shop.test.evil      /cart             rest
late.test           /                 late     the rest of an Ingress that lost a conflict
"""


def requests() -> list[tuple[str, str, str]]:
    """(host, path, service)."""
    rows = [line.split(None, 3) for line in REQUESTS.strip().splitlines()]
    return [(row[0], row[1], row[2]) for row in rows]
