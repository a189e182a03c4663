"""What a Service's virtual services mean, where the proxy spreads by IPVS (`--proxy-mode ipvs`). Pure.

The rows come from the proxy's page `/debug/ipvs?service=…`: what the kernel has, and who each server is. They stand
before the rules of the Service, which then only refuse and replace addresses (rules.py).
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from minik8s.explain.rules import Told, who


def told(rows: Iterable[Mapping[str, Any]], sources: Sequence[str], slices: Mapping[str, str]) -> list[Told]:
    """Each virtual service with its servers; `slices` tells for each server's address which slice names it."""
    found = []
    for row in rows:
        where = f"virtual service {row['virtual']}"
        seconds = row["persistent"]
        text = f"{row['scheduler']} persistent {seconds}" if seconds else row["scheduler"]
        found.append(Told(where, text, _choice(seconds), tuple(sources[:1])))
        for one in row["servers"]:
            address = one["target"].rpartition(":")[0].strip("[]")
            by = (slices[address],) if address in slices else tuple(sources[1:])
            found.append(Told(where, f"-> {one['target']} weight {one['weight']}", _server(one), by))
    return found


def _choice(seconds: int) -> str:
    if seconds:
        return f"A client stays with its server until {seconds} s after its last connection; a new one gets the next."
    return "Each new connection goes to the next of these servers, round and round."


def _server(one: Mapping[str, Any]) -> str:
    name = who(one["who"]) or one["who"].capitalize()
    if one["weight"]:
        return f"{name}: takes its turn."
    count = one["connections"]
    return f"{name}: nothing new, but the connections it has go on ({count} are remembered)."
