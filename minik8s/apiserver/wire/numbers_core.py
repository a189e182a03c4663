"""The numbers of the core group's fields, as Kubernetes' published .proto files give them. How to read it: numbers.py.

A Pod that a Deployment carries is decoded by the same lines, so this is by far the most of it.
"""

TEXT = """
Namespace: metadata:ObjectMeta spec:NamespaceSpec status:NamespaceStatus
NamespaceSpec: finalizers*
NamespaceStatus: phase conditions*NamespaceCondition
NamespaceCondition: type status 4=lastTransitionTime:Time reason message
Node: metadata:ObjectMeta spec:NodeSpec status:NodeStatus
NodeSpec: podCIDR externalID providerID unschedulable:bool taints*Taint configSource:closed podCIDRs*
Taint: key value effect timeAdded:Time
NodeStatus: capacity%Quantity allocatable%Quantity phase conditions*NodeCondition addresses*NodeAddress
  daemonEndpoints:NodeDaemonEndpoints nodeInfo:NodeSystemInfo images*ContainerImage volumesInUse*
  volumesAttached*AttachedVolume config:closed runtimeHandlers*NodeRuntimeHandler features:NodeFeatures
NodeCondition: type status lastHeartbeatTime:Time lastTransitionTime:Time reason message
NodeAddress: type address
NodeDaemonEndpoints: kubeletEndpoint:DaemonEndpoint
DaemonEndpoint: Port:int
NodeSystemInfo: machineID systemUUID bootID kernelVersion osImage containerRuntimeVersion kubeletVersion
  kubeProxyVersion operatingSystem architecture swap:NodeSwapStatus
NodeSwapStatus: capacity:int
ContainerImage: names* sizeBytes:int
Pod: metadata:ObjectMeta spec:PodSpec status:PodStatus
PodSpec: volumes*Volume containers*Container restartPolicy terminationGracePeriodSeconds:int
  activeDeadlineSeconds:int dnsPolicy nodeSelector% serviceAccountName serviceAccount nodeName hostNetwork:bool
  hostPID:bool hostIPC:bool securityContext:PodSecurityContext imagePullSecrets*LocalObjectReference hostname
  subdomain affinity:Affinity schedulerName initContainers*Container automountServiceAccountToken:bool
  tolerations*Toleration hostAliases*HostAlias priorityClassName priority:int dnsConfig:PodDNSConfig
  shareProcessNamespace:bool readinessGates*PodReadinessGate runtimeClassName enableServiceLinks:bool
  preemptionPolicy overhead%Quantity topologySpreadConstraints*TopologySpreadConstraint
  ephemeralContainers*EphemeralContainer setHostnameAsFQDN:bool os:PodOS hostUsers:bool
  schedulingGates*PodSchedulingGate resourceClaims*PodResourceClaim resources:ResourceRequirements
Volume: name volumeSource>VolumeSource
VolumeSource: hostPath:HostPathVolumeSource emptyDir:EmptyDirVolumeSource gcePersistentDisk:closed
  awsElasticBlockStore:closed gitRepo:closed secret:SecretVolumeSource nfs:NFSVolumeSource iscsi:closed
  glusterfs:closed persistentVolumeClaim:PersistentVolumeClaimVolumeSource rbd:closed flexVolume:closed
  cinder:closed cephfs:closed flocker:closed downwardAPI:DownwardAPIVolumeSource fc:closed azureFile:closed
  configMap:ConfigMapVolumeSource vsphereVolume:closed quobyte:closed azureDisk:closed photonPersistentDisk:closed
  portworxVolume:closed scaleIO:closed projected:ProjectedVolumeSource storageos:closed csi:CSIVolumeSource
  ephemeral:EphemeralVolumeSource image:ImageVolumeSource
CSIVolumeSource: driver readOnly:bool fsType volumeAttributes% nodePublishSecretRef:LocalObjectReference
EphemeralVolumeSource: volumeClaimTemplate:PersistentVolumeClaimTemplate
PersistentVolumeClaimTemplate: metadata:ObjectMeta spec:PersistentVolumeClaimSpec
ImageVolumeSource: reference pullPolicy
HostPathVolumeSource: path type
EmptyDirVolumeSource: medium sizeLimit:Quantity
SecretVolumeSource: secretName items*KeyToPath defaultMode:int optional:bool
KeyToPath: key path mode:int
NFSVolumeSource: server path readOnly:bool
PersistentVolumeClaimVolumeSource: claimName readOnly:bool
DownwardAPIVolumeSource: items*DownwardAPIVolumeFile defaultMode:int
DownwardAPIVolumeFile: path fieldRef:ObjectFieldSelector resourceFieldRef:ResourceFieldSelector mode:int
ObjectFieldSelector: apiVersion fieldPath
ResourceFieldSelector: containerName resource divisor:Quantity
ConfigMapVolumeSource: localObjectReference>LocalObjectReference items*KeyToPath defaultMode:int optional:bool
LocalObjectReference: name
ProjectedVolumeSource: sources*VolumeProjection defaultMode:int
VolumeProjection: secret:SecretProjection downwardAPI:DownwardAPIProjection configMap:ConfigMapProjection
  serviceAccountToken:ServiceAccountTokenProjection clusterTrustBundle:ClusterTrustBundleProjection
ClusterTrustBundleProjection: name signerName labelSelector:LabelSelector path optional:bool
SecretProjection: localObjectReference>LocalObjectReference items*KeyToPath 4=optional:bool
DownwardAPIProjection: items*DownwardAPIVolumeFile
ConfigMapProjection: localObjectReference>LocalObjectReference items*KeyToPath 4=optional:bool
ServiceAccountTokenProjection: audience expirationSeconds:int path
Container: name image command* args* workingDir ports*ContainerPort env*EnvVar resources:ResourceRequirements
  volumeMounts*VolumeMount livenessProbe:Probe readinessProbe:Probe lifecycle:Lifecycle terminationMessagePath
  imagePullPolicy securityContext:SecurityContext stdin:bool stdinOnce:bool tty:bool envFrom*EnvFromSource
  terminationMessagePolicy volumeDevices*VolumeDevice startupProbe:Probe resizePolicy*ContainerResizePolicy
  restartPolicy
ContainerPort: name hostPort:int containerPort:int protocol hostIP
EnvVar: name value valueFrom:EnvVarSource
EnvVarSource: fieldRef:ObjectFieldSelector resourceFieldRef:ResourceFieldSelector
  configMapKeyRef:ConfigMapKeySelector secretKeyRef:SecretKeySelector
ConfigMapKeySelector: localObjectReference>LocalObjectReference key optional:bool
SecretKeySelector: localObjectReference>LocalObjectReference key optional:bool
ResourceRequirements: limits%Quantity requests%Quantity claims*ResourceClaim
ResourceClaim: name request
VolumeMount: name readOnly:bool mountPath subPath mountPropagation subPathExpr recursiveReadOnly
Probe: handler>ProbeHandler initialDelaySeconds:int timeoutSeconds:int periodSeconds:int successThreshold:int
  failureThreshold:int terminationGracePeriodSeconds:int
ProbeHandler: exec:ExecAction httpGet:HTTPGetAction tcpSocket:TCPSocketAction grpc:GRPCAction
ExecAction: command*
HTTPGetAction: path port:IntOrString host scheme httpHeaders*HTTPHeader
HTTPHeader: name value
TCPSocketAction: port:IntOrString host
GRPCAction: port:int service
Lifecycle: postStart:LifecycleHandler preStop:LifecycleHandler stopSignal
LifecycleHandler: exec:ExecAction httpGet:HTTPGetAction tcpSocket:TCPSocketAction sleep:SleepAction
SleepAction: seconds:int
SecurityContext: capabilities:Capabilities privileged:bool seLinuxOptions:SELinuxOptions runAsUser:int
  runAsNonRoot:bool readOnlyRootFilesystem:bool allowPrivilegeEscalation:bool runAsGroup:int procMount
  windowsOptions:WindowsSecurityContextOptions seccompProfile:SeccompProfile appArmorProfile:AppArmorProfile
Capabilities: add* drop*
SELinuxOptions: user role type level
SeccompProfile: type localhostProfile
AppArmorProfile: type localhostProfile
EnvFromSource: prefix configMapRef:ConfigMapEnvSource secretRef:SecretEnvSource
ConfigMapEnvSource: localObjectReference>LocalObjectReference optional:bool
SecretEnvSource: localObjectReference>LocalObjectReference optional:bool
VolumeDevice: name devicePath
ContainerResizePolicy: resourceName restartPolicy
PodSecurityContext: seLinuxOptions:SELinuxOptions runAsUser:int runAsNonRoot:bool supplementalGroups*int fsGroup:int
  runAsGroup:int sysctls*Sysctl windowsOptions:WindowsSecurityContextOptions fsGroupChangePolicy
  seccompProfile:SeccompProfile
  appArmorProfile:AppArmorProfile supplementalGroupsPolicy seLinuxChangePolicy
Sysctl: name value
Affinity: nodeAffinity:NodeAffinity podAffinity:PodAffinity podAntiAffinity:PodAntiAffinity
NodeAffinity: requiredDuringSchedulingIgnoredDuringExecution:NodeSelector
  preferredDuringSchedulingIgnoredDuringExecution*PreferredSchedulingTerm
NodeSelector: nodeSelectorTerms*NodeSelectorTerm
NodeSelectorTerm: matchExpressions*NodeSelectorRequirement matchFields*NodeSelectorRequirement
NodeSelectorRequirement: key operator values*
PreferredSchedulingTerm: weight:int preference:NodeSelectorTerm
PodAffinity: requiredDuringSchedulingIgnoredDuringExecution*PodAffinityTerm
  preferredDuringSchedulingIgnoredDuringExecution*WeightedPodAffinityTerm
PodAffinityTerm: labelSelector:LabelSelector namespaces* topologyKey namespaceSelector:LabelSelector matchLabelKeys*
  mismatchLabelKeys*
WeightedPodAffinityTerm: weight:int podAffinityTerm:PodAffinityTerm
PodAntiAffinity: requiredDuringSchedulingIgnoredDuringExecution*PodAffinityTerm
  preferredDuringSchedulingIgnoredDuringExecution*WeightedPodAffinityTerm
Toleration: key operator value effect tolerationSeconds:int
HostAlias: ip hostnames*
PodDNSConfig: nameservers* searches* options*PodDNSConfigOption
PodDNSConfigOption: name value
PodReadinessGate: conditionType
TopologySpreadConstraint: maxSkew:int topologyKey whenUnsatisfiable labelSelector:LabelSelector minDomains:int
  nodeAffinityPolicy nodeTaintsPolicy matchLabelKeys*
EphemeralContainer: ephemeralContainerCommon>EphemeralContainerCommon targetContainerName
EphemeralContainerCommon: name image command* args* workingDir ports*ContainerPort env*EnvVar
  resources:ResourceRequirements volumeMounts*VolumeMount livenessProbe:Probe readinessProbe:Probe
  lifecycle:Lifecycle terminationMessagePath imagePullPolicy securityContext:SecurityContext stdin:bool
  stdinOnce:bool tty:bool envFrom*EnvFromSource terminationMessagePolicy volumeDevices*VolumeDevice
  startupProbe:Probe resizePolicy*ContainerResizePolicy restartPolicy
PodOS: name
PodSchedulingGate: name
PodStatus: phase conditions*PodCondition message reason hostIP podIP startTime:Time
  containerStatuses*ContainerStatus qosClass initContainerStatuses*ContainerStatus nominatedNodeName podIPs*PodIP
  ephemeralContainerStatuses*ContainerStatus resize resourceClaimStatuses*PodResourceClaimStatus hostIPs*HostIP
  observedGeneration:int
PodCondition: type status lastProbeTime:Time lastTransitionTime:Time reason message observedGeneration:int
ContainerStatus: name state:ContainerState lastState:ContainerState ready:bool restartCount:int image imageID
  containerID started:bool allocatedResources%Quantity resources:ResourceRequirements volumeMounts*VolumeMountStatus
  user:ContainerUser allocatedResourcesStatus*ResourceStatus stopSignal
ContainerState: waiting:ContainerStateWaiting running:ContainerStateRunning terminated:ContainerStateTerminated
ContainerStateWaiting: reason message
ContainerStateRunning: startedAt:Time
ContainerStateTerminated: exitCode:int signal:int reason message startedAt:Time finishedAt:Time containerID
VolumeMountStatus: name mountPath readOnly:bool recursiveReadOnly
PodIP: ip
HostIP: ip
Service: metadata:ObjectMeta spec:ServiceSpec status:ServiceStatus
ServiceSpec: ports*ServicePort selector% clusterIP type externalIPs* 7=sessionAffinity loadBalancerIP
  loadBalancerSourceRanges* externalName externalTrafficPolicy healthCheckNodePort:int publishNotReadyAddresses:bool
  sessionAffinityConfig:SessionAffinityConfig 17=ipFamilyPolicy clusterIPs* ipFamilies*
  allocateLoadBalancerNodePorts:bool loadBalancerClass internalTrafficPolicy trafficDistribution
ServicePort: name protocol port:int targetPort:Port nodePort:int appProtocol
SessionAffinityConfig: clientIP:ClientIPConfig
ClientIPConfig: timeoutSeconds:int
ServiceStatus: loadBalancer:LoadBalancerStatus conditions*Condition
LoadBalancerStatus: ingress*LoadBalancerIngress
LoadBalancerIngress: ip hostname ipMode ports*PortStatus
PortStatus: port:int protocol error
Endpoints: metadata:ObjectMeta subsets*EndpointSubset
EndpointSubset: addresses*EndpointAddress notReadyAddresses*EndpointAddress ports*EndpointPort
EndpointAddress: ip targetRef:ObjectReference hostname nodeName
ObjectReference: kind namespace name uid apiVersion resourceVersion fieldPath
EndpointPort: name port:int protocol appProtocol
ConfigMap: metadata:ObjectMeta data% binaryData%bytes immutable:bool
Secret: metadata:ObjectMeta data%bytes type stringData% immutable:bool
ServiceAccount: metadata:ObjectMeta secrets*ObjectReference imagePullSecrets*LocalObjectReference
  automountServiceAccountToken:bool
Event: metadata:ObjectMeta involvedObject:ObjectReference reason message source:EventSource firstTimestamp:Time
  lastTimestamp:Time count:int type eventTime:MicroTime series:EventSeries action related:ObjectReference
  reportingComponent reportingInstance
EventSource: component host
EventSeries: count:int lastObservedTime:MicroTime
Binding: metadata:ObjectMeta target:ObjectReference
PodTemplateSpec: metadata:ObjectMeta spec:PodSpec
PersistentVolumeClaim: metadata:ObjectMeta spec:PersistentVolumeClaimSpec status:PersistentVolumeClaimStatus
PersistentVolumeClaimSpec: accessModes* resources:VolumeResourceRequirements volumeName selector:LabelSelector
  storageClassName volumeMode dataSource:TypedLocalObjectReference dataSourceRef:TypedObjectReference
  volumeAttributesClassName
VolumeResourceRequirements: limits%Quantity requests%Quantity
TypedLocalObjectReference: apiGroup kind name
TypedObjectReference: apiGroup kind name namespace
PersistentVolumeClaimStatus: phase accessModes* capacity%Quantity conditions*PersistentVolumeClaimCondition
  allocatedResources%Quantity 7=allocatedResourceStatuses% currentVolumeAttributesClassName
  modifyVolumeStatus:closed
PersistentVolumeClaimCondition: type status lastProbeTime:Time lastTransitionTime:Time reason message
AttachedVolume: name devicePath
NodeRuntimeHandler: name features:NodeRuntimeHandlerFeatures
NodeRuntimeHandlerFeatures: recursiveReadOnlyMounts:bool userNamespaces:bool
NodeFeatures: supplementalGroupsPolicy:bool
PodResourceClaim: name 3=resourceClaimName resourceClaimTemplateName
PodResourceClaimStatus: name resourceClaimName
ContainerUser: linux:LinuxContainerUser
LinuxContainerUser: uid:int gid:int supplementalGroups*int
ResourceStatus: name resources*ResourceHealth
ResourceHealth: resourceID health
WindowsSecurityContextOptions: gmsaCredentialSpecName gmsaCredentialSpec runAsUserName hostProcess:bool
"""
