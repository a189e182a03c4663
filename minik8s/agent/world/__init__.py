"""The agent's hands: Docker, the Pod network, probes, volumes. Nothing in here decides.

`docker.py` is the only file that imports docker; `network.py` is all that touches links, routes and kernel settings;
`probes.py` asks containers; `volumes.py` writes files. Each can be done twice without harm, because the agent may die
between any two steps.
"""
