"""The sidecar: spreads the connections of single Pods itself, instead of letting the node's kernel do it.

A Pod asks for it by the annotation `minik8s.io/proxy: sidecar`, or the whole cluster by `--proxy-mode sidecar`. From
then on a table of rules in the Pod's *own* network namespace leads its TCP connections to Services to a port on its own
loopback. There this process accepts them, chooses an endpoint for each, connects to it (another one if the first
refuses) and carries the bytes. Service meshes work like this; they put a process into each Pod, here one process serves
all Pods of a node, because a socket belongs to the namespace it was made in, whoever uses it.

The rules belong to this process: when it dies, even by SIGKILL, the kernel takes them away at once, and new connections
go the node's own way (nftables, IPVS). UDP, names, node ports and clients outside go that way always.

Reads: Services, EndpointSlices, its own Node, the Pods of its node. Writes: two tables in each of these Pods'
namespaces, and Events on the Pods.

- `plan.py`: which Pods, which addresses, the rules, and which endpoint is tried next. Pure. Read this first.
- `connection.py`: one connection, its two ends and the bytes between them.
- `relay.py`: the loop that accepts, connects, tries again and carries.
- `world.py`: finds a Pod's network namespace, and puts listeners and rules into it.
- `main.py`: the wiring; `pages.py`: what it shows of itself; `metrics.py`: what it counts.
- `demand.py` runs inside the proxy: it asks for this process as soon as a Pod of the node wants it, so that a cluster
  without such Pods pays nothing.

../README.md compares the ways of spreading.
"""
