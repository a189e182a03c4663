"""Endpoints: which addresses are behind a Service right now.

Reads Services and Pods; writes EndpointSlices (what the proxy and DNS read), for each address family of the Service its
own, and the older Endpoints objects (what people still read), for the first family. This is the link between "a Pod
became not ready" and "no new connection goes there", so it must be quick: one event of an informer, one plan, one
patch.

Read `addresses.py` (what a Pod contributes), then `slices.py` (how endpoints are spread over slices with few writes),
then `plan.py`, which puts them together. Source: KEP-752 (EndpointSlice), KEP-1672 (terminating endpoints).
"""
