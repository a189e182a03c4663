"""What the proxy does for load balancers beside writing rules: it announces addresses and answers health checks.

Each in a thread of its own, so that rules wait for neither the API server nor the LAN. Read `announce.py` and
`healthcheck.py`.
"""

from collections.abc import Callable

from minik8s import params
from minik8s.client.component import Component
from minik8s.proxy.announce import Announcer
from minik8s.proxy.followed import Sources
from minik8s.proxy.healthcheck import HealthChecks


def start(component: Component, sources: Sources, loading: Callable[[], str]) -> Callable[[], None]:
    """Begin, until the component stops. What is returned waits for the end: addresses have been given back by then.

    `loading` says why the rules are not there yet; "" when they are.
    """
    helpers: list[Announcer | HealthChecks] = [
        Announcer(component, sources, loading),
        HealthChecks(component, sources, lambda: not loading()),
    ]
    threads = [helper.start() for helper in helpers]  # after all of them have said what they want to hear

    def join() -> None:
        for thread in threads:
            thread.join(params.STOP_GRACE_S)

    return join
