"""The doctor: the ladder of Kubernetes' "Debug Services" page, climbed by a program.

    ladder.py    the rungs, as a table, and how they are climbed: up to the first that does not hold
    facts.py     what is known, as values; nothing else goes into a judgement
    objects.py   judges the first rungs, which are about objects: Service, selector, Pods, endpoints
    traffic.py   judges the others, which are about packets: ports, names, addresses, rules
    world.py     fetches the facts: objects from the API, all else from the debug pages of agents and proxies
    tell.py      the findings as text of 80 columns and as JSON

A judge is a pure function, facts in, verdict out. A red verdict has the evidence (a command that shows it), the cause,
the mend, and a code `MK-…` whose page stands in `explain/README.md`. Start with `ladder.py`.
"""
