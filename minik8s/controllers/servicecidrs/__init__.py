"""ServiceCIDRs: whether a range is ready, and that none goes while addresses of it are in use.

Reads ServiceCIDRs and IPAddresses; writes the ServiceCIDR's finalizer and its condition Ready. Addresses are given out
by the API server, and only from the range that the cluster was made with: whoever adds another is warned.

Read `plan.py`. Source: KEP-1880, Kubernetes' service CIDRs controller.
"""
