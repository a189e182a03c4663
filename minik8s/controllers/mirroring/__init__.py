"""Mirroring: Endpoints that somebody wrote by hand, as EndpointSlices, which the proxy and DNS read.

Reads Endpoints, Services and EndpointSlices; writes EndpointSlices. Only for Services without a selector: the others'
endpoints are the controller `endpoints`'s business, in both forms.

Read `plan.py`. Source: Kubernetes' endpoint slice mirroring controller, KEP-0752.
"""
