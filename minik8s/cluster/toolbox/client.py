"""A steady client that tells what became of every single request.

    client.py --url http://web --rate 50 --seconds 10

Requests are begun on a fixed schedule, whatever became of the earlier ones: a client that waits for an answer before it
asks again (or that quietly tries once more) hides the very failures one wants to see. Each request opens a new
connection, which is what gives the Service the chance to choose another Pod; `--keepalive` uses one connection for as
long as it lasts. Nothing is ever retried. Each line on stdout is {at, took_ms, outcome, pod}; the last one is
{"summary": …}. Outcomes:

    ok         an answer with status 200          refused    nobody listens there (or the rules reject it)
    reset      the connection broke               timedout   no answer in time: usually packets into nowhere
    noname     the name could not be resolved     noroute    nobody there says which machine has the address
    other      anything else, with `error`
"""

import argparse
import errno
import http.client
import json
import os
import select
import signal
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from socket import gaierror
from urllib.parse import SplitResult, urlsplit

OUTCOMES = ("ok", "refused", "reset", "timedout", "noname", "noroute", "other")


class Tally:
    """What has come back so far; printed line by line. One lock guards both."""

    def __init__(self, quiet: bool) -> None:
        self.quiet = quiet
        self.lock = threading.Lock()
        self.outcomes = dict.fromkeys(OUTCOMES, 0)
        self.pods: dict[str, int] = {}
        self.slowest_ms = 0.0

    def add(self, line: dict) -> None:
        with self.lock:
            self.outcomes[line["outcome"]] += 1
            if line["pod"]:
                self.pods[line["pod"]] = self.pods.get(line["pod"], 0) + 1
            self.slowest_ms = max(self.slowest_ms, line["took_ms"])
            if not self.quiet:
                print(json.dumps(line), flush=True)

    def summary(self, seconds: float) -> dict:
        with self.lock:
            sent = sum(self.outcomes.values())
            lost = sent - self.outcomes["ok"]
            pods = dict(sorted(self.pods.items()))
            fixed = {"sent": sent, "lost": lost, "seconds": round(seconds, 3), "slowest_ms": self.slowest_ms}
            return fixed | {"outcomes": dict(self.outcomes), "pods": pods}


def outcome_of(error: Exception) -> str:
    """The one word for what went wrong."""
    kinds = ((gaierror, "noname"), (ConnectionRefusedError, "refused"), (TimeoutError, "timedout"))
    for kind, word in kinds:
        if isinstance(error, kind):
            return word
    # An end of the stream instead of an answer is a broken connection too.
    broken = (ConnectionResetError, BrokenPipeError, ConnectionAbortedError, http.client.RemoteDisconnected)
    if isinstance(error, (*broken, http.client.IncompleteRead)):
        return "reset"
    # A node's cable is cut for so long that its neighbours have forgotten its hardware address.
    return "noroute" if getattr(error, "errno", None) in (errno.EHOSTUNREACH, errno.ENETUNREACH) else "other"


class Requester:
    """Makes one request, on a new connection or on the kept one."""

    def __init__(self, url: SplitResult, timeout: float, keepalive: bool) -> None:
        self.url, self.timeout, self.keepalive = url, timeout, keepalive
        self.kept: http.client.HTTPConnection | None = None
        self.lock = threading.Lock()  # the kept connection carries one request at a time

    def __call__(self) -> dict:
        at, began = time.time(), time.monotonic()
        line: dict = {"at": round(at, 4), "took_ms": 0.0, "outcome": "ok", "pod": ""}
        try:
            line |= self.exchange()
        except (OSError, http.client.HTTPException, ValueError) as error:
            self.drop()
            line["outcome"] = outcome_of(error)
            if line["outcome"] == "other":
                line["error"] = repr(error)
        line["took_ms"] = round((time.monotonic() - began) * 1000, 1)
        return line

    def exchange(self) -> dict:
        if self.keepalive:
            with self.lock:
                self.kept = self.kept or self.connection()
                return self.ask(self.kept)
        connection = self.connection()
        try:
            return self.ask(connection)
        finally:
            connection.close()

    def ask(self, connection: http.client.HTTPConnection) -> dict:
        headers = {} if self.keepalive else {"Connection": "close"}
        path = (self.url.path or "/") + (f"?{self.url.query}" if self.url.query else "")
        connection.request("GET", path, headers=headers)
        response = connection.getresponse()
        body = response.read()
        if response.status != 200:
            return {"outcome": "other", "error": f"status {response.status}"}
        return {"pod": who(body)}

    def connection(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection(self.url.hostname or "", self.url.port or 80, timeout=self.timeout)

    def drop(self) -> None:
        kept, self.kept = self.kept, None
        if kept:
            kept.close()


def who(body: bytes) -> str:
    """Which Pod answered, if it says so."""
    try:
        return str(json.loads(body).get("pod", ""))
    except (ValueError, AttributeError):
        return ""


def run(options: argparse.Namespace, told: int) -> dict:
    """Keep to the schedule until it ends or somebody says stop (then `told` can be read)."""
    tally, began, sent = Tally(options.quiet), time.monotonic(), 0
    requester = Requester(urlsplit(options.url), options.timeout, options.keepalive)
    # Enough threads for every request that can be open at once, so that a late answer delays nobody. Bounded all the
    # same.
    workers = min(512, int(options.rate * options.timeout * 2) + 8)
    with ThreadPoolExecutor(max_workers=workers) as pool:
        while not finished(options, sent):
            wait = began + sent / options.rate - time.monotonic()
            if select.select([told], [], [], max(0, wait))[0]:
                break
            pool.submit(lambda: tally.add(requester()))
            sent += 1
    return tally.summary(time.monotonic() - began)


def finished(options: argparse.Namespace, sent: int) -> bool:
    if options.count:
        return sent >= options.count
    return options.seconds > 0 and sent >= options.seconds * options.rate


def main() -> int:
    """0 when every request was answered, 1 when any was lost."""
    parser = argparse.ArgumentParser(description="A steady client that counts what became of every request.")
    parser.add_argument("--url", required=True)
    parser.add_argument("--rate", type=float, default=10, help="requests a second")
    parser.add_argument("--seconds", type=float, default=0, help="how long (0: until stopped)")
    parser.add_argument("--count", type=int, default=0, help="how many requests, instead of --seconds")
    parser.add_argument("--timeout", type=float, default=1.0, help="seconds to wait for each step of a request")
    parser.add_argument("--keepalive", action="store_true", help="one connection for as long as it lasts")
    parser.add_argument("--quiet", action="store_true", help="the summary only")
    options = parser.parse_args()
    # A signal may arrive anywhere, also just before we begin to wait: the interpreter itself writes it into this pipe.
    told, tell = os.pipe()
    os.set_blocking(tell, False)
    signal.set_wakeup_fd(tell)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    summary = run(options, told)
    print(json.dumps({"summary": summary}), flush=True)
    return 1 if summary["lost"] else 0


if __name__ == "__main__":
    sys.exit(main())
