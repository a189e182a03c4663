"""The ingress: one address for many Services. On each node HAProxy listens on ports 80 and 443, and this component
configures it from Ingress objects.

A Service works by addresses and ports; an Ingress looks into the HTTP request and chooses by host and path, so a real
proxy has to read each request. It stands on nodes, because only nodes have routes to Pods, and it sends straight to
ready endpoints, not to the ClusterIP: so it can retry another one, and keeps connections to them open. HAProxy, because
its endpoints can be changed while it runs; only a change of rules or certificates is a reload, in which the old process
finishes what it has begun. Kill this component and HAProxy goes on by what it was told last.

Runs where it is asked for (`minik8s up --ingress`). Reads: Ingresses, IngressClasses, Services, EndpointSlices, Secrets
of type kubernetes.io/tls, Nodes. Writes: its files below /run/minik8s, the status of Ingresses, its Lease
kube-system/ingress-NODE, and the IngressClass `minik8s` if there is none of that name.

- `rules.py`: which host and path go to which backend, who wins a conflict, and `match`, the whole order in a few lines.
  Read this first.
- `backends.py`: a Service's port to the endpoints that get its requests. `certificates.py`: a Secret to what is served.
- `plan.py`: all objects to one wish; and a wish beside what runs to what is to be done.
- `config.py`: the wish as HAProxy's own text. No user's text gets into it but in an alphabet that can end nothing.
- `world.py`: files, the process, its command socket. `members.py`: which nodes serve, for the status.
- `sync.py` and `main.py`: the wiring; `pages.py`: the debug pages.
"""
