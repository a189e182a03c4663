"""The numbers of fields outside of the core group, as Kubernetes' published .proto files give them.

How to read it: numbers.py.
"""

TEXT = """
# what every body is wrapped in
Unknown: typeMeta:TypeMeta raw:raw contentEncoding contentType
TypeMeta: apiVersion kind
# meta
ObjectMeta: name generateName namespace selfLink uid resourceVersion generation:int creationTimestamp:Time
  deletionTimestamp:Time deletionGracePeriodSeconds:int labels% annotations% ownerReferences*OwnerReference
  finalizers* 17=managedFields*ManagedFieldsEntry
OwnerReference: kind 3=name uid apiVersion controller:bool blockOwnerDeletion:bool
ManagedFieldsEntry: manager operation apiVersion time:Time 6=fieldsType fieldsV1:Json subresource
LabelSelector: matchLabels% matchExpressions*LabelSelectorRequirement
LabelSelectorRequirement: key operator values*
Condition: type status observedGeneration:int lastTransitionTime:Time reason message
DeleteOptions: gracePeriodSeconds:int preconditions:Preconditions orphanDependents:bool propagationPolicy dryRun*
  ignoreStoreReadErrorWithClusterBreakingPotential:bool
Preconditions: uid resourceVersion
FieldSelectorRequirement: key operator values*
# apps.v1
Deployment: metadata:ObjectMeta spec:DeploymentSpec status:DeploymentStatus
DeploymentSpec: replicas:int selector:LabelSelector template:PodTemplateSpec strategy:DeploymentStrategy
  minReadySeconds:int revisionHistoryLimit:int paused:bool 9=progressDeadlineSeconds:int
DeploymentStrategy: type rollingUpdate:RollingUpdateDeployment
RollingUpdateDeployment: maxUnavailable:IntOrString maxSurge:IntOrString
DeploymentStatus: observedGeneration:int replicas:int updatedReplicas:int availableReplicas:int
  unavailableReplicas:int conditions*DeploymentCondition readyReplicas:int collisionCount:int
  terminatingReplicas:int
DeploymentCondition: type status 4=reason message lastUpdateTime:Time lastTransitionTime:Time
ReplicaSet: metadata:ObjectMeta spec:ReplicaSetSpec status:ReplicaSetStatus
ReplicaSetSpec: replicas:int selector:LabelSelector template:PodTemplateSpec minReadySeconds:int
ReplicaSetStatus: replicas:int fullyLabeledReplicas:int observedGeneration:int readyReplicas:int
  availableReplicas:int conditions*ReplicaSetCondition terminatingReplicas:int
ReplicaSetCondition: type status lastTransitionTime:Time reason message
StatefulSet: metadata:ObjectMeta spec:StatefulSetSpec status:StatefulSetStatus
StatefulSetSpec: replicas:int selector:LabelSelector template:PodTemplateSpec
  volumeClaimTemplates*PersistentVolumeClaim serviceName podManagementPolicy
  updateStrategy:StatefulSetUpdateStrategy revisionHistoryLimit:int minReadySeconds:int
  persistentVolumeClaimRetentionPolicy:StatefulSetPersistentVolumeClaimRetentionPolicy ordinals:StatefulSetOrdinals
StatefulSetUpdateStrategy: type rollingUpdate:RollingUpdateStatefulSetStrategy
RollingUpdateStatefulSetStrategy: partition:int maxUnavailable:IntOrString
StatefulSetPersistentVolumeClaimRetentionPolicy: whenDeleted whenScaled
StatefulSetOrdinals: start:int
StatefulSetStatus: observedGeneration:int replicas:int readyReplicas:int currentReplicas:int updatedReplicas:int
  currentRevision updateRevision 9=collisionCount:int conditions*StatefulSetCondition availableReplicas:int
StatefulSetCondition: type status lastTransitionTime:Time reason message
DaemonSet: metadata:ObjectMeta spec:DaemonSetSpec status:DaemonSetStatus
DaemonSetSpec: selector:LabelSelector template:PodTemplateSpec updateStrategy:DaemonSetUpdateStrategy
  minReadySeconds:int 6=revisionHistoryLimit:int
DaemonSetUpdateStrategy: type rollingUpdate:RollingUpdateDaemonSet
RollingUpdateDaemonSet: maxUnavailable:IntOrString maxSurge:IntOrString
DaemonSetStatus: currentNumberScheduled:int numberMisscheduled:int desiredNumberScheduled:int numberReady:int
  observedGeneration:int updatedNumberScheduled:int numberAvailable:int numberUnavailable:int collisionCount:int
  conditions*DaemonSetCondition
DaemonSetCondition: type status lastTransitionTime:Time reason message
ControllerRevision: metadata:ObjectMeta data:Json revision:int
# batch.v1
Job: metadata:ObjectMeta spec:JobSpec status:JobStatus
JobSpec: parallelism:int completions:int activeDeadlineSeconds:int selector:LabelSelector manualSelector:bool
  template:PodTemplateSpec backoffLimit:int ttlSecondsAfterFinished:int completionMode suspend:bool
  podFailurePolicy:PodFailurePolicy backoffLimitPerIndex:int maxFailedIndexes:int podReplacementPolicy managedBy
  successPolicy:SuccessPolicy
SuccessPolicy: rules*SuccessPolicyRule
SuccessPolicyRule: succeededIndexes succeededCount:int
PodFailurePolicy: rules*PodFailurePolicyRule
PodFailurePolicyRule: action onExitCodes:PodFailurePolicyOnExitCodesRequirement
  onPodConditions*PodFailurePolicyOnPodConditionsPattern
PodFailurePolicyOnExitCodesRequirement: containerName operator values*int
PodFailurePolicyOnPodConditionsPattern: type status
JobStatus: conditions*JobCondition startTime:Time completionTime:Time active:int succeeded:int failed:int
  completedIndexes uncountedTerminatedPods:UncountedTerminatedPods ready:int failedIndexes terminating:int
UncountedTerminatedPods: succeeded* failed*
JobCondition: type status lastProbeTime:Time lastTransitionTime:Time reason message
# discovery.v1
EndpointSlice: metadata:ObjectMeta endpoints*Endpoint ports*discovery.EndpointPort addressType
Endpoint: addresses* conditions:EndpointConditions hostname targetRef:ObjectReference deprecatedTopology% nodeName
  zone hints:EndpointHints
EndpointConditions: ready:bool serving:bool terminating:bool
EndpointHints: forZones*ForZone forNodes*ForNode
ForZone: name
ForNode: name
discovery.EndpointPort: name protocol port:int appProtocol
# coordination.v1
Lease: metadata:ObjectMeta spec:LeaseSpec
LeaseSpec: holderIdentity leaseDurationSeconds:int acquireTime:MicroTime renewTime:MicroTime leaseTransitions:int
  strategy preferredHolder
# networking.v1
Ingress: metadata:ObjectMeta spec:IngressSpec status:IngressStatus
IngressSpec: defaultBackend:IngressBackend tls*IngressTLS rules*IngressRule ingressClassName
IngressBackend: 3=resource:TypedLocalObjectReference service:IngressServiceBackend
IngressServiceBackend: name port:ServiceBackendPort
ServiceBackendPort: name number:int
IngressTLS: hosts* secretName
IngressRule: host ingressRuleValue>IngressRuleValue
IngressRuleValue: http:HTTPIngressRuleValue
HTTPIngressRuleValue: paths*HTTPIngressPath
HTTPIngressPath: path backend:IngressBackend pathType
IngressStatus: loadBalancer:IngressLoadBalancerStatus
IngressLoadBalancerStatus: ingress*IngressLoadBalancerIngress
IngressLoadBalancerIngress: ip hostname 4=ports*IngressPortStatus
IngressPortStatus: port:int protocol error
IngressClass: metadata:ObjectMeta spec:IngressClassSpec
IngressClassSpec: controller parameters:IngressClassParametersReference
IngressClassParametersReference: apiGroup kind name scope namespace
IPAddress: metadata:ObjectMeta spec:IPAddressSpec
IPAddressSpec: parentRef:ParentReference
ParentReference: group resource namespace name
ServiceCIDR: metadata:ObjectMeta spec:ServiceCIDRSpec status:ServiceCIDRStatus
ServiceCIDRSpec: cidrs*
ServiceCIDRStatus: conditions*Condition
# autoscaling.v1
HorizontalPodAutoscaler: metadata:ObjectMeta spec:HorizontalPodAutoscalerSpec status:HorizontalPodAutoscalerStatus
HorizontalPodAutoscalerSpec: scaleTargetRef:CrossVersionObjectReference minReplicas:int maxReplicas:int
  targetCPUUtilizationPercentage:int
HorizontalPodAutoscalerStatus: observedGeneration:int lastScaleTime:Time currentReplicas:int desiredReplicas:int
  currentCPUUtilizationPercentage:int
CrossVersionObjectReference: kind name apiVersion
# policy.v1
PodDisruptionBudget: metadata:ObjectMeta spec:PodDisruptionBudgetSpec status:PodDisruptionBudgetStatus
PodDisruptionBudgetSpec: minAvailable:IntOrString selector:LabelSelector maxUnavailable:IntOrString
  unhealthyPodEvictionPolicy
PodDisruptionBudgetStatus: observedGeneration:int disruptedPods%Time disruptionsAllowed:int currentHealthy:int
  desiredHealthy:int expectedPods:int conditions*Condition
Eviction: metadata:ObjectMeta deleteOptions:DeleteOptions
# rbac.v1
Role: metadata:ObjectMeta rules*PolicyRule
PolicyRule: verbs* apiGroups* resources* resourceNames* nonResourceURLs*
RoleBinding: metadata:ObjectMeta subjects*Subject roleRef:RoleRef
Subject: kind apiGroup name namespace
RoleRef: apiGroup kind name
ClusterRole: metadata:ObjectMeta rules*PolicyRule aggregationRule:AggregationRule
AggregationRule: clusterRoleSelectors*LabelSelector
ClusterRoleBinding: metadata:ObjectMeta subjects*Subject roleRef:RoleRef
# authentication.v1
TokenRequest: metadata:ObjectMeta spec:TokenRequestSpec status:TokenRequestStatus
TokenRequestSpec: audiences* 3=boundObjectRef:BoundObjectReference expirationSeconds:int
BoundObjectReference: kind apiVersion name uid
TokenRequestStatus: token expirationTimestamp:Time
TokenReview: metadata:ObjectMeta spec:TokenReviewSpec status:TokenReviewStatus
TokenReviewSpec: token audiences*
TokenReviewStatus: authenticated:bool user:UserInfo error audiences*
UserInfo: username uid groups* extra%ExtraValue
SelfSubjectReview: metadata:ObjectMeta status:SelfSubjectReviewStatus
SelfSubjectReviewStatus: userInfo:UserInfo
# authorization.v1
SelfSubjectAccessReview: metadata:ObjectMeta spec:SelfSubjectAccessReviewSpec status:SubjectAccessReviewStatus
SelfSubjectAccessReviewSpec: resourceAttributes:ResourceAttributes nonResourceAttributes:NonResourceAttributes
ResourceAttributes: namespace verb group version resource subresource name fieldSelector:FieldSelectorAttributes
  labelSelector:LabelSelectorAttributes
FieldSelectorAttributes: rawSelector requirements*FieldSelectorRequirement
LabelSelectorAttributes: rawSelector requirements*LabelSelectorRequirement
NonResourceAttributes: path verb
SubjectAccessReviewStatus: allowed:bool reason evaluationError denied:bool
SelfSubjectRulesReview: metadata:ObjectMeta spec:SelfSubjectRulesReviewSpec status:SubjectRulesReviewStatus
SelfSubjectRulesReviewSpec: namespace
SubjectRulesReviewStatus: resourceRules*ResourceRule nonResourceRules*NonResourceRule incomplete:bool
  evaluationError
ResourceRule: verbs* apiGroups* resources* resourceNames*
NonResourceRule: verbs* nonResourceURLs*
SubjectAccessReview: metadata:ObjectMeta spec:SubjectAccessReviewSpec status:SubjectAccessReviewStatus
SubjectAccessReviewSpec: resourceAttributes:ResourceAttributes nonResourceAttributes:NonResourceAttributes user
  groups* extra%ExtraValue uid
LocalSubjectAccessReview: metadata:ObjectMeta spec:SubjectAccessReviewSpec status:SubjectAccessReviewStatus
# autoscaling.v1
Scale: metadata:ObjectMeta spec:ScaleSpec status:ScaleStatus
ScaleSpec: replicas:int
ScaleStatus: replicas:int selector
# events.v1
events.Event: metadata:ObjectMeta eventTime:MicroTime series:events.EventSeries reportingController
  reportingInstance action reason regarding:ObjectReference related:ObjectReference note type
  deprecatedSource:EventSource deprecatedFirstTimestamp:Time deprecatedLastTimestamp:Time deprecatedCount:int
events.EventSeries: count:int lastObservedTime:MicroTime
"""
