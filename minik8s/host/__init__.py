"""What every box needs of the machine it runs on, and nothing of Kubernetes.

Network namespaces, links and routes, processes, the clock, and the three ways in which a component tells how it
fares: metrics, a health page and a journal. Each outside thing has one door here: `netlink.py` alone imports
pyroute2, `processes.py` alone starts processes, `clock.py` alone knows the time and makes random names. Tests of
everything above can therefore stand still.

Read `namespaces.py` first: that a whole cluster fits on one machine rests on it.
"""
