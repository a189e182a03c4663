"""What makes the machine see-through: it looks at what every box said of itself and puts it together.

    world.py     fetches: the audit and current objects from the API server, journals of agents, proxies and DNS
                 through its node proxy, so that it works the same from anywhere
    facts.py     both kinds of lines as one: a fact is what happened, when, by whom, why, and from which revisions
    causes.py    which fact led to which
    family.py    which objects belong to a Service, Deployment or Pod
    plan.py      the history: episodes, each a cause with all that followed; windows of failures
    tell.py      the same as text of 80 columns, and as JSON
    rules.py     what each rule of a Service means; rulesworld.py fetches them
    kubeproxy.py   the same Service in kube-proxy's words
    kernelview.py  are the kernel's rules those that the proxy wants?
    doctor/      why does a Service not answer? A package with a chapter of its own
    faults.py    five faults to practise on, and when they are mended
    README.md    a page for each of the doctor's findings

It reads the API and the components' `/debug/` pages, never their code, and it writes nothing. Start with `facts.py`.
"""
