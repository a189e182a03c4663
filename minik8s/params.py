"""Every address range, port, period and limit of minik8s, each with its reason.

Pure constants, imported by everybody, importing nobody. Where Kubernetes has a name for a number, the name here is the
same, so that what is learnt here can be looked up there. To change how a cluster behaves, this is the only file to
edit.
"""

from dataclasses import dataclass

# --- Addresses -------------------------------------------------------------------------------------------------------

# The outside world: the LAN between the machines. 192.168.56.0/24 is what Vagrant and VirtualBox use for host-only
# networks, so a lab's text is true on virtual machines as well.
LAN_CIDR = "192.168.56.0/24"
# Who has an IPv4 address on the LAN or in the Pod network has the IPv6 address with the same last digits beside it, so
# that the two are recognised as one: 192.168.56.11 and fd00:56::11, 10.244.1.23 and fd00:244:0:1::23.
LAN_CIDR_V6 = "fd00:56::/64"
LAN_GATEWAY = "192.168.56.1"
CONTROL_PLANE_ADDRESS = "192.168.56.10"
FIRST_NODE_HOST = 11  # node-1 is .11, node-2 is .12, …
# Addresses of the LAN that no machine has: for Services of type LoadBalancer.
LOAD_BALANCER_RANGE = ("192.168.56.200", "192.168.56.250")
LOAD_BALANCER_RANGE_V6 = ("fd00:56::200", "fd00:56::250")
LOAD_BALANCER_CLASS = "minik8s.io/lan"  # for a Service that says whom it wants them from; most do not

# Pods: a /24 and a /64 of these for each node, handed out by the controller nodeipam.
CLUSTER_CIDR = "10.244.0.0/16"
CLUSTER_CIDR_V6 = "fd00:244::/48"
NODE_CIDR_MASK_SIZE = 24
NODE_CIDR_MASK_SIZE_V6 = 64

# Services: virtual addresses that exist only in the proxy's rules.
SERVICE_CIDR = "10.96.0.0/16"
SERVICE_CIDR_V6 = "fd00:96::/112"
KUBERNETES_SERVICE_IP = "10.96.0.1"  # `kubernetes.default`: by convention the first address of the range
DNS_SERVICE_IP = "10.96.0.10"  # `kube-dns.kube-system`: the tenth, as kubeadm has it
# KEP-3070: the first part of the range is left to users who choose an address, so that random ones rarely collide with
# it.
SERVICE_CIDR_STATIC_MIN, SERVICE_CIDR_STATIC_MAX = 16, 256

# Node ports: high enough to leave the usual services alone, below Linux' ephemeral range (32768-60999).
NODE_PORT_RANGE = (30000, 32767)
# KEP-3668: likewise a part for ports the user chooses.
NODE_PORT_STATIC_BAND = (16, 128)

CLUSTER_DOMAIN = "cluster.local"

# --- Ports -----------------------------------------------------------------------------------------------------------

API_PORT = 6443
KUBELET_PORT = 10250  # the agent's own server: logs, exec, debug pages
DNS_PORT = 10053  # not 53, so that a resolver already on the machine is left alone; the proxy maps 53 to it
# Health, metrics and debug pages: plain HTTP on 127.0.0.1 of the component's own namespace. Upstream's numbers.
HEALTH_PORTS = {
    "agent": 10248,
    "proxy": 10249,
    "dns": 9153,
    "ingress": 10254,  # ingress-nginx has the same
    "sidecar": 15020,  # Istio's sidecar has the same
    "scheduler": 10259,
    "controllers": 10257,
}
ETCD_CLIENT_PORT = 2379
ETCD_PEER_PORT = 2380

# --- Marks: how minik8s knows what is its own ------------------------------------------------------------------------

LABEL_CLUSTER = "io.minik8s.cluster"
LABEL_NODE = "io.minik8s.node"
LABEL_POD_UID = "io.minik8s.pod.uid"
LABEL_POD_NAME = "io.minik8s.pod.name"
LABEL_POD_NAMESPACE = "io.minik8s.pod.namespace"
LABEL_CONTAINER = "io.minik8s.container"
# What the agent has to remember of a container, written on the container itself: it keeps no state file.
LABEL_ADDRESS = "io.minik8s.pod.ip"  # of each family one, with commas between them
LABEL_SANDBOX = "io.minik8s.sandbox"
LABEL_ATTEMPT = "io.minik8s.restart-count"
LABEL_STREAK = "io.minik8s.backoff-streak"
LABEL_SPEC_HASH = "io.minik8s.spec-hash"

NETNS_PREFIX = "mk8s"  # mk8s-<cluster>-lan, -control, -<node>
# rtnetlink's "who made this route": 0-4 are the kernel's, others are free (/etc/iproute2/rt_protos).
ROUTE_PROTOCOL = 88

TABLE_PROXY = "minik8s"
TABLE_AGENT = "minik8s-pods"
TABLE_TRACE = "minik8s-trace"
TABLE_SIDECAR = "minik8s-sidecar"  # in a Pod's own namespace, like the next
TABLE_SIDECAR_KEPT = "minik8s-sidecar-kept"

# Bits of the packet mark. One word is shared by all who mark packets on a node; these are ours.
MARK_MASQUERADE = 0x4000  # kube-proxy's own bit: source address is to be replaced on the way out
MARK_SIDECAR = 0x10000  # in a Pod's namespace: the sidecar's own connection, not to be led to the sidecar again

# --- Images: built on the spot, with a tag, because untagged images are always pulled --------------------------------

PAUSE_IMAGE = "minik8s/pause:1"
TOOLBOX_IMAGE = "minik8s/toolbox:1"

# --- etcd ------------------------------------------------------------------------------------------------------------

ETCD_MINIMUM = (3, 4, 22)  # below: a crash under load can skip committed entries (etcd issue 13766)
# The start of a single member is the election timer, not the disk: these two save most of a second.
ETCD_HEARTBEAT_MS, ETCD_ELECTION_MS = 10, 100
ETCD_CALL_TIMEOUT_S = 5.0
ETCD_MAX_TXN_OPS = 128  # etcd's own limit for one transaction
COMPACTION_PERIOD_S = 300.0  # upstream's --etcd-compaction-interval
REGISTRY_PREFIX = "/registry/"

# --- API server ------------------------------------------------------------------------------------------------------

# API priority and fairness in miniature: for each level how many requests run at a time and how many may wait for that;
# the next is answered 429. `system` are the cluster's own components, by their certificates.
PRIORITY_LEVELS = {"exempt": (2, 64), "system": (20, 256), "workload": (22, 128)}
QUEUE_WAIT_S = 15.0  # upstream: a quarter of the time for a request
MAX_WATCHES = 4000  # over it a watch is answered 429; a watch costs an open file and about 20 KB
MAX_STREAMS = 200  # logs, execs and port-forwards at a time: each has a thread while it lasts; over it 429
STREAM_KEEPALIVE_IDLE_S = 15  # how often the kernel asks whether a silent stream's ends are still there
# A seat has a thread; streams have their own, and watches one among them all.
SERVER_THREADS = sum(seats for seats, _ in PRIORITY_LEVELS.values()) + 4
MAX_CONNECTIONS = 2000  # over it, whoever has been at rest for longest is cut off, strangers first
HANDSHAKE_TIMEOUT_S = 10.0  # upstream's
REQUEST_TIMEOUT_S = 30.0  # how long a client may take to send a request; upstream: 32 s for its head
LINGER_S = 2.0  # how long we go on reading after a refusal, so that it arrives
MAX_UNSENT_BYTES = 128 * 1024 * 1024  # of all answers together that clients have not taken yet
MAX_REQUEST_LINE = 8190  # gunicorn's most; selectors stand in the URL
MAX_HEAD_BYTES = 64 * 1024
KEEPALIVE_S = 75
MAX_BODY_BYTES = 3 * 1024 * 1024  # upstream's limit for a request body
MAX_WARNINGS = 32  # Warning headers of one answer; http.client takes 100 headers in all
MAX_WARNING_LENGTH = 400
MAX_OBJECT_BYTES = 1_500_000  # etcd refuses more in one request
WATCH_CACHE_EVENTS = 1000  # how far back a watch may resume
BOOKMARK_PERIOD_S = 10.0
# Upstream's --min-request-timeout: a watch without timeoutSeconds is held at least so long and at most twice.
WATCH_TIMEOUT_S = 1800.0
WATCH_QUEUE_BYTES = 8 * 1024 * 1024  # a watcher that is further behind than this is dropped and lists again
SEND_TIMEOUT_S = 30.0  # a client that takes nothing for this long is gone, whatever TCP believes
FRESH_READ_TIMEOUT_S = 3.0  # how long a read waits for the cache to reach etcd's revision
WRITE_ATTEMPTS = 16  # how often a write starts anew because others were faster, before the client is told 409
EVENT_TTL_S = 3600  # upstream's --event-ttl
AUDIT_ENTRIES = 5000
ASKED_SORTS = 500  # sorts of requests that a component remembers of itself; it makes some twenty

# --- Clients ---------------------------------------------------------------------------------------------------------

CLIENT_CONNECT_TIMEOUT_S = 3.0
CLIENT_READ_TIMEOUT_S = 15.0
# A cable that was cut says nothing, and TCP by itself waits for minutes. The kernel asks the other end after so many
# quiet seconds, again and again, and gives the connection up after the last; so a node is back soon after its cable is.
TCP_KEEPALIVE_IDLE_S, TCP_KEEPALIVE_INTERVAL_S, TCP_KEEPALIVE_PROBES = 3, 1, 3
TCP_USER_TIMEOUT_MS = 6000  # the same for what was sent and never acknowledged (RFC 5482)
WATCH_READ_TIMEOUT_S = 35.0  # three bookmarks missed: the connection is dead, whatever TCP believes
INFORMER_BACKOFF_S = (0.05, 2.0)
# client-go's ItemExponentialFailureRateLimiter, with a lower ceiling: a learner waits for it.
QUEUE_BACKOFF_S = (0.005, 10.0)
LEASE_DURATION_S, LEASE_RENEW_S, LEASE_RETRY_S = 15.0, 10.0, 2.0  # upstream's leader election

# --- Pods ------------------------------------------------------------------------------------------------------------

POD_WORKERS = 4  # more workers make each Pod slower without making all of them faster (two cores)
MAX_PODS_PER_NODE = 110
TERMINATION_GRACE_PERIOD_S = 30
CONTAINER_BACKOFF_S = (10.0, 300.0)  # upstream's CrashLoopBackOff: 10 s, doubled, five minutes at most
CONTAINER_BACKOFF_RESET_S = 600.0  # a container that ran this long starts with a clean slate
IMAGE_BACKOFF_S = (10.0, 300.0)
IMAGE_ERROR_SHOWN_S = 1.0  # how long a failed pull reads ErrImagePull before it reads ImagePullBackOff
MINIMUM_GRACE_S = 2.0  # upstream's minimumGracePeriodInSeconds: for containers whose Pod is already gone
KUBELET_VERSION = "v1.33.0-minik8s"  # whose behaviour is followed
NODE_STATUS_REPORT_S = 300.0  # upstream's nodeStatusReportFrequency: a Node that does not change is written this often
AGENT_RESYNC_S = 30.0  # every Pod is looked at this often even when nothing was heard of it
NETWORK_WAIT_S = 1.0  # how soon a Pod is looked at again whose node has no Pod network yet
PROBE_WORKERS = 4
CONFIG_RETRY_S = 2.0  # how soon a container whose ConfigMap, Secret or volume is missing is tried again
STREAM_CREATION_TIMEOUT_S = 30.0  # upstream's --stream-creation-timeout: until a SPDY client has opened its streams
POD_BRIDGE = "cni0"  # upstream's usual name of the bridge that a node's Pods are plugged into
CONTAINER_LOG_MAX_SIZE = "10m"
DNS_NDOTS = 5
# What a resolver reads of resolv.conf; upstream's MaxDNSNameservers, MaxDNSSearchPaths and MaxDNSSearchListChars.
MAX_DNS_NAMESERVERS, MAX_DNS_SEARCH_PATHS, MAX_DNS_SEARCH_CHARACTERS = 3, 32, 2048

# --- Services --------------------------------------------------------------------------------------------------------

MAX_ENDPOINTS_PER_SLICE = 100  # upstream's --max-endpoints-per-slice
MAX_ENDPOINTS = 1000  # more than this and Endpoints is truncated (upstream's annotation over-capacity)
# How packets to a Service are spread over its endpoints: kube-proxy's --proxy-mode.
PROXY_MODES = ("nftables", "ipvs", "sidecar")
DEFAULT_PROXY_MODE = "nftables"
# IPVS mode, with kube-proxy's names: the link that has every Service address, and who gets the next connection.
IPVS_LINK = "kube-ipvs0"
IPVS_SCHEDULER = "rr"
IPVS_SYNC_PERIOD_S = 2.0  # IPVS tells nobody of its changes: how soon drained servers and others' tampering are noticed
# What a single Pod may ask for on top of that, whatever the cluster's mode: a sidecar, or none.
PROXY_ANNOTATION = "minik8s.io/proxy"
POD_PROXIES = ("nftables", "sidecar")
SIDECAR_PORT = 15001  # Istio's port for what leaves a Pod; on the Pod's loopback only
SIDECAR_ATTEMPTS = 3  # endpoints tried for one connection
# The kernel repeats an unanswered SYN after one second: whoever has not answered two of them is given up.
SIDECAR_CONNECT_TIMEOUT_S = 1.5
SIDECAR_ASIDE_S = 5.0  # how long an endpoint that failed comes after all others
SIDECAR_CONNECTIONS = 4000  # at once, for all Pods of a node; one more is reset at once
SIDECAR_PIPE = 1 << 20  # bytes carried at one go, and that may wait for a slow reader; /proc/sys/fs/pipe-max-size
SIDECAR_ASK_S = 30.0  # how often a proxy whose node needs a sidecar makes sure that there is one
# An endpoint that vanished without a word: asked after so many quiet seconds, again and again, and given up.
SIDECAR_KEEPALIVE_IDLE_S, SIDECAR_KEEPALIVE_INTERVAL_S, SIDECAR_KEEPALIVE_PROBES = 15, 5, 3
# Foreign writes into the proxy's tables are told by the kernel at once. In case it could not, the proxy asks this often
# whether anything was written at all (one message of 20 bytes), and believes it when it hears the same number twice.
RULES_LOOK_S = 0.5
RULES_QUIET_BYTES = 1 << 18  # of commands: to be told of a larger transaction of our own costs half as much as itself
RULES_MEND_S = 1.0  # at the least between two repairs: two proxies on one node must not fight at full speed
SESSION_AFFINITY_TIMEOUT_S = 10800  # upstream's default for sessionAffinity: ClientIP, three hours
SESSION_AFFINITY_CLIENTS = 65535  # remembered for each endpoint; one more and a client is balanced anew
DNS_TTL_S = 5  # CoreDNS' default; `up --dns-ttl` sets another
DNS_MOST_TTL_S = 3600  # CoreDNS' too
# Names of Pods by their address: believed, looked up among the Pods, or none. The words are CoreDNS' own.
DNS_POD_MODES = ("disabled", "insecure", "verified")
DNS_DEFAULT_POD_MODE = "insecure"  # kubeadm's
DNS_START_PATIENCE_S = 1.0  # how long questions wait for the first full list before a miss is SERVFAIL
DNS_UDP_SIZE = 1232  # the longest UDP reply, and what we say we take: fits every path unfragmented (DNS flag day 2020)
DNS_MEMO_ENTRIES = 20_000  # whole answers remembered; a random-name attack must not fill the memory
DNS_BATCH = 64  # datagrams answered before changes and TCP have their turn
DNS_PAGE = 250  # objects read at once when a kind is listed
DNS_WORDS_BATCH = 8  # changes taken in before questions have their turn: half a millisecond's work
DNS_WORDS_HELD = 1 << 20  # bytes of changes held before the reader has to wait
DNS_RECEIVE_BUFFER = 1 << 20  # bytes of questions that may wait while the loop is busy
DNS_TCP_CONNECTIONS = 200  # with more, the one silent for longest goes
DNS_TCP_IDLE_S = 10.0  # CoreDNS' idle timeout
# Names of the rest of the world, where --upstream says whom to ask.
DNS_FORWARD_BUDGET_S = 4.0  # a stub resolver gives up after five seconds
DNS_FORWARD_TRY_S = 1.2  # then the next server, or the same again: three tries in the budget
DNS_FORWARD_LOOK_S = 0.05  # how exactly these times are kept
DNS_FORWARD_MOST = 1000  # questions out at once; with more, SERVFAIL (kubeadm's max_concurrent)
DNS_CACHE_ENTRIES = 10_000  # CoreDNS' default
DNS_CACHE_MOST_S, DNS_CACHE_MOST_NEGATIVE_S = 3600, 30  # CoreDNS' cap; kubeadm's for misses
DNS_CACHE_LEAST_S = 1  # also what may not be kept at all is kept for those who ask at the same moment
DNS_CACHE_FAILURE_S = 5.0  # RFC 9520: at least 1, at most 300
DNS_STALE_AFTER_S = 1.8  # RFC 8767: what was known before is handed out when nobody answers for so long,
DNS_STALE_TTL_S = 30  # for so long,
DNS_STALE_KEPT_S = 86_400.0  # until it is so old
DNS_LOOP_PROBE_S = 30.0  # how often it is tried out whether the servers we ask ask us back
DNS_MAX_CHAIN = 8  # aliases of aliases; nobody means more than two
DNS_TAP_ENTRIES = 10_000  # questions kept for `dns log` between two looks
DNS_TAP_S = 5.0  # without a look for so long, nothing is written down any more
DNS_PAGE_TIMEOUT_S = 2.0  # how long a page waits for the loop
DNS_PROBE_PERIOD_S = 0.5  # how often the agent asks its node's DNS whether it lives
DNS_PROBE_FAILURES = 2

# --- Ingress ---------------------------------------------------------------------------------------------------------

INGRESS_HTTP_PORT, INGRESS_HTTPS_PORT = 80, 443
INGRESS_CLASS = "minik8s"
INGRESS_CONNECTIONS = 2000  # at once, for each node; HAProxy sizes its tables by it
INGRESS_KEEPALIVE_S = 10  # how long an idle connection of a client is kept; after a reload it keeps the old process too
INGRESS_DRAIN_S = 60  # how long the old process may finish after a reload
INGRESS_RELOAD_TIMEOUT_S = 10.0
INGRESS_LOOK_S = 5.0  # how often HAProxy is looked at when nothing was heard of it
INGRESS_LEASE_RENEW_S, INGRESS_LEASE_S = 4.0, 15  # the instance on a node says that it lives
RUN_DIRECTORY = "/run/minik8s"  # what means nothing after a reboot: locks, sockets, HAProxy's files

# --- Certificates ----------------------------------------------------------------------------------------------------

# kubeadm's authority lives ten years, its certificates one. Nobody renews a learner's cluster, so all live as long.
AUTHORITY_DAYS = 3650
CERTIFICATE_DAYS = 3650

# --- Processes of a cluster on one machine ---------------------------------------------------------------------------

RESTART_BACKOFF_S = (0.5, 30.0)  # the first restart is immediate, then this, doubled, up to the second
RESTART_RESET_S = 10.0  # what ran this long before it crashed starts with a clean slate
STOP_GRACE_S = 5.0  # from SIGTERM to SIGKILL for our own processes
ENGINE_START_TIMEOUT_S = 40.0  # dockerd on a busy machine; measured 1 s on a quiet one
READY_TIMEOUT_S = 60.0  # how long `up` waits for every node to be Ready

# Python's collector looks for cycles after so many new objects (CPython's own: 700, 10, 10). What informers and rules
# hold lives long and has no cycles: at 10 000 Services a third of the proxy's time went into looking through it.
GC_THRESHOLD = (50_000, 20, 100)

# --- Time ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Timers:
    """How fast a cluster notices and forgives. Seconds; names are those of Kubernetes' flags and fields."""

    node_status_update_frequency: float  # kubelet: how often the node reports its state
    node_lease_renew_interval: float  # kubelet: a quarter of nodeLeaseDurationSeconds
    node_lease_duration_seconds: int
    node_monitor_period: float  # controller manager: how often it looks at the leases
    node_monitor_grace_period: float  # silence after which a node is NotReady and its Pods leave the endpoints
    default_toleration_seconds: float  # how long Pods stay on a node that is not ready before they are replaced
    image_pull_progress_deadline: float = 60.0


PROFILES = {
    # Quick enough to watch in a workshop: a lost node leaves the endpoints after about five seconds.
    "fast": Timers(
        node_status_update_frequency=10.0,
        node_lease_renew_interval=1.0,
        node_lease_duration_seconds=4,
        node_monitor_period=0.5,
        node_monitor_grace_period=4.0,
        default_toleration_seconds=5.0,
    ),
    # Upstream's defaults, for the lab that runs once with the real thing's patience.
    "kubernetes": Timers(
        node_status_update_frequency=10.0,
        node_lease_renew_interval=10.0,
        node_lease_duration_seconds=40,
        node_monitor_period=5.0,
        node_monitor_grace_period=50.0,
        default_toleration_seconds=300.0,
    ),
}
DEFAULT_PROFILE = "fast"
