"""Cluster DNS: how a Service's name becomes an address.

A Pod that asks for `web.shop.svc.cluster.local` reaches this component through the Service kube-dns (10.96.0.10). It
answers by the Kubernetes DNS-Based Service Discovery specification, from what it watches, and keeps answering when
the API server is away.

It reads Services, EndpointSlices, Namespaces and, when names of Pods are verified, Pods. It writes nothing to the API;
a name whose answer changed stands in the journal (stage `names`).

Two processes: the reader watches the API and reduces each object to what DNS needs of it; the server answers, and has
an interpreter to itself. A question's way through the folder, which is also the order to read it in:

    server.py     one loop (poller.py) owns every socket and all state; the reader's words come in between two questions
    datagrams.py  many questions taken in with one system call, and answered with one
    tcp.py        the same over connections
    responder.py  question in, answer out: the memo of whole answers
    wire.py       bytes to question, answer to bytes
    resolve.py    question to answer: negative answers, chains of aliases, additional records
    plan.py       name to records: the specification, as one pure function `node`. Start here if you read only one file

and how the server comes to know:

    reader.py     the watches, in a process of their own
    views.py      objects reduced to what DNS needs of them
    changes.py    what a word of the reader does to the index, the memo and the journal
    index.py      views to three indexes, so that a name is looked up and never searched

and names of the rest of the world, where `--upstream` says whom to ask:

    upstream.py   asks other servers, within the same loop
    cache.py      what they answered, for as long as they allow
    servers.py    whom to ask; a loop by name is refused

and how it explains itself (`minik8s dns query`, `minik8s dns log`, /metrics):

    pages.py      what is answered and why, what is asked just now
    origin.py     the objects a name comes from
    foreign.py    reads a whole reply, also another server's
    meter.py      metrics, under CoreDNS' names

main.py wires them. The reverse trees (in-addr.arpa, ip6.arpa) are answered as well. Without `--upstream`, names outside
of all of these get NXDOMAIN: a cluster without an upstream server is a world of its own, and nothing exists outside of
it. Any other code would be a refusal to say: glibc breaks its search off at REFUSED, and musl asks again after REFUSED
or SERVFAIL until its five seconds are over.
"""
