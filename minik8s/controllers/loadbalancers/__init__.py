"""Load balancers: each Service of type LoadBalancer gets an address of the LAN, of each of its families one.

Elsewhere a cloud does this. Here a part of the LAN is kept free for it, and a Service's own status says what it was
given. The address is only a promise at first: that somebody answers for it on the LAN is the proxy's work
(`proxy/announce.py`).

Reads: Services. Writes: `status.loadBalancer` of those of type LoadBalancer whose class is ours or not set. Read
`plan.py`.
"""
