"""IPVS as a way of spreading packets: `--proxy-mode ipvs`.

The kernel has a load balancer of its own, IPVS, older than nftables: a table of *virtual services* (protocol, address,
port), each with its *real servers*. It hooks into `INPUT`, so a virtual service's address must be one of the node's
own: every Service address is put on a link that leads nowhere, `kube-ipvs0`. What IPVS cannot do stays with a small
nftables table, with the same names as in the other mode: refusing where nobody serves, and replacing the source
address where the answer would not come back this way.

- `plan.py`: plans of Services to virtual services, and the difference to what the kernel has. Pure. Read this first,
  beside README.md.
- `book.py`: what all Services together want, and who claims what.
- `rules.py`: the small table: what is left of a Service's rules when the choosing is IPVS'. Pure.
- `sync.py`: look, plan, apply, and who comes first; changing from one mode to the other.
- `../ipvs.py`: all that touches IPVS and `kube-ipvs0`.
"""
