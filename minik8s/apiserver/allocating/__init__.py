"""What a Service is given when it is written: addresses, node ports, families.

    services.py        what a Service keeps of what it had, and what it asks for
    families.py        IPv4, IPv6 or both
    allocation.py      which address, which port: a plan of claims that go into the Service's own transaction
    addressclaims.py   IPAddresses that people write by hand
    ingresses.py       the class that an Ingress gets

Invariant: an address or a node port belongs to one Service. Pure but for what the registry is asked. Read
`allocation.py` first.
"""
