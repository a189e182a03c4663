"""What upstream's controllers may do, each under the ServiceAccount that is named after it. Pure.

Upstream's kube-controller-manager, told `--use-service-account-credentials`, asks as
`kube-system/deployment-controller` and so on, one account for each controller; it makes the accounts, and finds the
roles `system:controller:…` with their bindings here. Our own controllers are one program with one identity and need
none of them.

How to read `TEXT`: a controller, then what it may do, line by line: verbs, a colon, and on what; `deployments.apps` is
in the group apps, `@X` a name that the right is limited to. A `-` before the name: it tells no Events. Roles for kinds
that are not here are left out. Source: upstream's default roles of 1.33, documented under "Using RBAC Authorization".
"""

from minik8s.api.rbac import PolicyRule

PREFIX = "system:controller:"

TEXT = """
-clusterrole-aggregation-controller
  escalate get list patch update watch: clusterroles.rbac.authorization.k8s.io
cronjob-controller
  get list update watch: cronjobs.batch
  create delete get list patch update watch: jobs.batch
  update: cronjobs/status.batch cronjobs/finalizers.batch
  delete list: pods
daemon-set-controller
  get list watch: daemonsets.apps
  update: daemonsets/status.apps daemonsets/finalizers.apps
  list watch: nodes
  create delete list patch watch: pods
  create: pods/binding
  create delete get list patch update watch: controllerrevisions.apps
deployment-controller
  get list update watch: deployments.apps
  update: deployments/status.apps deployments/finalizers.apps
  create delete get list patch update watch: replicasets.apps
  get list update watch: pods
disruption-controller
  get list watch: deployments.apps replicasets.apps statefulsets.apps replicationcontrollers
  get list watch: poddisruptionbudgets.policy
  update: poddisruptionbudgets/status.policy
  patch update: pods/status
  get: */scale.*
endpoint-controller
  get list watch: pods services
  create delete get list update: endpoints
  create: endpoints/restricted
endpointslice-controller
  get list watch: nodes pods services
  update: services/finalizers
  create delete get list update: endpointslices.discovery.k8s.io
  create: endpointslices/restricted.discovery.k8s.io
endpointslicemirroring-controller
  get list watch: endpoints services
  update: services/finalizers endpoints/finalizers
  create delete get list update: endpointslices.discovery.k8s.io
  create: endpointslices/restricted.discovery.k8s.io
generic-garbage-collector
  delete get list patch update watch: *.*
horizontal-pod-autoscaler
  get list watch: horizontalpodautoscalers.autoscaling
  update: horizontalpodautoscalers/status.autoscaling
  get update: */scale.*
  list: pods pods.metrics.k8s.io
job-controller
  get list patch update watch: jobs.batch
  update: jobs/status.batch jobs/finalizers.batch
  create delete list patch watch: pods
legacy-service-account-token-cleaner
  get: configmaps@kube-apiserver-legacy-service-account-token-tracking
  delete patch: secrets
-namespace-controller
  delete get list watch: namespaces
  update: namespaces/finalize namespaces/status
  delete deletecollection get list: *.*
node-controller
  delete get list patch update: nodes
  patch update: nodes/status pods/status
  delete list: pods
pod-garbage-collector
  delete list watch: pods
  get list: nodes
  patch: pods/status
replicaset-controller
  get list update watch: replicasets.apps
  update: replicasets/status.apps replicasets/finalizers.apps
  create delete list patch watch: pods
replication-controller
  get list update watch: replicationcontrollers
  update: replicationcontrollers/status replicationcontrollers/finalizers
  create delete list patch watch: pods
resourcequota-controller
  list watch: *.*
  update: resourcequotas/status
root-ca-cert-publisher
  create update: configmaps
route-controller
  list watch: nodes
  patch: nodes/status
service-account-controller
  create: serviceaccounts
service-cidrs-controller
  get list patch update watch: servicecidrs.networking.k8s.io
  patch update: servicecidrs/finalizers.networking.k8s.io servicecidrs/status.networking.k8s.io
  get list watch: ipaddresses.networking.k8s.io
service-controller
  get list watch: services
  patch update: services/status
  list watch: nodes
statefulset-controller
  list watch: pods
  get list watch: statefulsets.apps
  update: statefulsets/status.apps statefulsets/finalizers.apps
  create delete get patch update: pods
  create delete get list patch update watch: controllerrevisions.apps
  create delete get list update watch: persistentvolumeclaims
taint-eviction-controller
  delete get list: pods
  patch: pods/status
  get list watch: nodes
ttl-after-finished-controller
  delete get list watch: jobs.batch
ttl-controller
  list patch update watch: nodes
"""
EVENTS = "create patch update: events events.events.k8s.io"


def controller_roles() -> dict[str, list[PolicyRule]]:
    """The name of each controller → its rules."""
    found: dict[str, list[PolicyRule]] = {}
    rules: list[PolicyRule] = []  # of the controller that is being read
    for line in TEXT.strip().splitlines():
        if line.startswith(" "):
            rules += _rules(line)
        else:
            rules = found[line.removeprefix("-")] = [] if line.startswith("-") else _rules(EVENTS)
    return found


def _rules(line: str) -> list[PolicyRule]:
    """A rule for each group that a line names."""
    verbs, _, targets = line.partition(":")
    groups: dict[tuple[str, str], list[str]] = {}
    for target in targets.split():
        what, _, name = target.partition("@")
        resource, _, group = what.partition(".")
        groups.setdefault((group, name), []).append(resource)
    return [
        PolicyRule(verbs=verbs.split(), apiGroups=[group], resources=resources, resourceNames=[name] if name else [])
        for (group, name), resources in groups.items()
    ]
