"""The node agent: Pods bound to this node become containers, whose fate becomes their status. Our kubelet.

It reads Pods of its node, Services (for environment variables), Nodes (for routes), ConfigMaps and Secrets; it asks
Docker what stands. It writes the status of its Pods, Events, its Node, its Lease, and the slice of its node's DNS
server. Everything it makes carries labels, and Docker is its only memory: killed and started again it adopts what
runs and disturbs nothing.

A Pod is a sandbox (a pause container that owns the network namespace, plugged into the Pod bridge) and the Pod's
containers, which join the sandbox's network. It has an address of each range that its node has: IPv4, and IPv6 where
the kernel speaks it.

Read in this order: `observed.py` what is seen; `actions.py` what can be done; `plan.py` which of it is done, and why;
`status.py` what is told; `sync.py` the loop around them; `world/` the hands; `main.py` the wiring. The chapters
beside: `probing.py` (is it alive, is it ready), `environment.py` and `recipe.py` (how a container is started),
`heartbeat.py` (the node itself), `server.py` (logs and exec), `dnsprobe.py` (the node's DNS server).
"""
