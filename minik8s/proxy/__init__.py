"""The proxy: makes Service addresses work on one node, by writing rules into the kernel's packet filter.

A ClusterIP exists nowhere: no interface has it, nobody answers for it. On every node a proxy like this one tells the
kernel: a packet for 10.96.0.7:80 gets the address of one of these Pods instead. The kernel does the rest, and
remembers its choice for the connection. The proxy itself never sees a packet; kill it and everything that worked goes
on working.

A load balancer's address is different: somebody on the LAN must answer for it. One proxy does, elected by a Lease.

Reads: Services, EndpointSlices, Nodes, and of its node's Pods whether one wants a sidecar. Writes: the tables
`ip minik8s` and `ip6 minik8s` of its network namespace; for load balancers Leases in `kube-system`, and their addresses
on the node's link to the LAN; in the mode `ipvs` also virtual services and the link `kube-ipvs0`.

- `endpoints.py`: which endpoints of a Service port get new connections on this node, and why the others do not.
- `plan.py`: one Service and its slices to chains and map elements. Pure. Read this first, beside README.md.
- `layout.py`: the part of the table that is the same in every cluster: base chains, shared steps, names.
- `book.py`: the table as the sum of all plans, and the two small parts that differ when some of them change.
- `why.py`: a change in words, for the journal.
- `sync.py`: look, plan, commit in one transaction; what to do when the kernel refuses.
- `guard.py`: somebody else wrote into our table: who, and what then.
- `cache.py`: what the API says, by Service.
- `election.py`: which node answers for a load balancer's address. Pure. `announce.py` does it, `lan.py` is the wire.
- `healthcheck.py`: what a load balancer is told that asks this node; `followed.py`: which Services concern the two.
- `world.py`: all that touches the kernel's rules. `main.py`: the wiring, and the debug pages.
- `modes.py`: the other ways of spreading. `virtual/`, `ipvs.py`: by the kernel's IPVS. `sidecar/`: by a process, for
  single Pods.
"""
