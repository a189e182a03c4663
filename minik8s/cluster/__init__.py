"""A whole cluster on one machine, brought up and taken down.

The machine's own network stays untouched: the outside LAN, the control plane and each node are network namespaces. A
node's is that of a pause container. One parent process, the zygote, imports everything once and forks each component
into its namespace.
Reads: the machine (kernel, Docker, installed programs). Writes: namespaces, containers, processes, all marked with the
cluster's name, and the state directory `$MINIK8S_HOME/<name>`. Nothing of it is needed by the components: they run as
well on real machines.

Read first: `up.py`, which names all steps in order; then `topology.py` and `fabric.py` (the network), `zygote.py` with
`supervise.py` (the processes), `listeners.py` and `handed.py` (sockets that outlive who serves on them), `engine.py`
(Docker), `pki.py` (who is who), `down.py` (how all of it goes again).
"""
