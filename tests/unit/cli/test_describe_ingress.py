"""`describe ingress` in kubectl's layout."""

from support.ingresscases import ingress

from minik8s.cli.describedingress import ingress as draw
from minik8s.cli.report import Report

SHOWN = """\
Name:             shop
Labels:           <none>
Namespace:        default
Address:
Ingress Class:    minik8s
Default backend:  rest:80 (behind rest:80)
TLS:
  one terminates a.test,b.test
Rules:
  Host    Path   Backends
  ----    ----   --------
  a.test
          /cart  cart:80 (behind cart:80)
  *
          /      web:80 (behind web:80)
Annotations:      <none>"""


def test_each_path_is_shown_with_what_stands_behind_it():
    tls = [{"hosts": ["a.test", "b.test"], "secretName": "one"}]
    rules = ("a.test Prefix /cart cart", "- Exact / web")
    report = Report()
    shop = ingress("shop", *rules, default="rest", ingressClassName="minik8s", tls=tls)
    draw(report, shop, lambda name, port: f"behind {name}:{port}")
    assert "\n".join(report.lines()) == SHOWN
