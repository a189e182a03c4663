"""What is not answered here: logs, exec, attach, port-forward and proxies go to the agent of the Pod's node.

    relay.py       which agent, which container; all that can be wrong is said before anything is sent
    proxying.py    the same for proxies: which Pod of a Service, what becomes of paths and links
    streaming.py   the question to the agent, and its answer
    carrying.py    what goes on after the request: a thread of its own, which carries bytes until one side hangs up

Read `relay.py` first.
"""
