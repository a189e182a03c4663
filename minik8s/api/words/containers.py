"""Words for containers: `api/containers.py`."""

from minik8s.api import containers as c
from minik8s.api.words.table import Words

WORDS: Words = {
    c.Container: {
        "": "One container of a Pod. All share the Pod's network namespace: its address, its ports, its loopback.",
        "name": "Name of the container, unique in its Pod; fixed.",
        "image": "The image it is made from, such as nginx:1.27. Changing it restarts the container, not the Pod.",
        "command": "What to run instead of the image's ENTRYPOINT. $(NAME) is replaced by that variable.",
        "args": "Arguments instead of the image's CMD. $(NAME) is replaced by that variable.",
        "workingDir": "The directory to start in; if empty, that of the image.",
        "ports": "Ports that it listens on. They inform, and give names for `targetPort`: a port that is not here is "
        "just as reachable.",
        "envFrom": "ConfigMaps and Secrets all of whose entries become environment variables; `env` counts more.",
        "env": "Environment variables.",
        "resources": "How much processor and memory it may use, and how much is kept for it.",
        "volumeMounts": "Where the Pod's volumes appear in its file system.",
        "livenessProbe": "Asks whether it still works; if not, it is restarted.",
        "readinessProbe": "Asks whether it can serve; if not, its Pod gets no connections from Services.",
        "startupProbe": "Asks whether it has started; until then the other probes do not ask.",
        "lifecycle": "What to do after it starts and before it is stopped.",
        "terminationMessagePath": "File in which the container may leave its last words; /dev/termination-log if not "
        "said.",
        "terminationMessagePolicy": "File: last words come from the file. FallbackToLogsOnError: else from the end of "
        "the log.",
        "imagePullPolicy": "Always: ask the registry at each start. IfNotPresent: only if it is missing. Never: it "
        "must be there. Without it, Always for the tag `latest`, else IfNotPresent.",
        "securityContext": "As whom, and with which rights it runs; counts more than the Pod's.",
        "stdin": "Keep standard input open, so that one can attach to it.",
        "stdinOnce": "Close standard input when the first client that attached has gone.",
        "tty": "Give it a terminal; needs `stdin`.",
    },
    c.EphemeralContainer: {
        "": "A container that is added to a running Pod to look around in it: `kubectl debug`. It is never started "
        "again and goes with the Pod.",
        "targetContainerName": "The container whose processes it sees and may signal; none if empty.",
    },
    c.ContainerPort: {
        "": "A port that a container says it listens on.",
        "containerPort": "The port, at the Pod's address.",
        "name": "Name of the port, up to 15 letters; a Service's `targetPort` may refer to it.",
        "protocol": "TCP (the default), UDP or SCTP.",
        "hostPort": "A port of the node that leads to it. Two Pods that want the same one cannot share a node.",
        "hostIP": "The node's address at which `hostPort` is opened; all if empty.",
    },
    c.EnvVar: {
        "": "An environment variable.",
        "name": "Name of the variable.",
        "value": "Its value. $(NAME) is replaced by a variable that stands before it; $$(NAME) stays as $(NAME).",
        "valueFrom": "Where its value comes from, instead of `value`.",
    },
    c.EnvVarSource: {
        "": "Where the value of a variable comes from; one of these. It is read when the container starts.",
        "fieldRef": "A field of the Pod itself, such as status.podIP.",
        "configMapKeyRef": "An entry of a ConfigMap.",
        "secretKeyRef": "An entry of a Secret.",
    },
    c.ObjectFieldSelector: {
        "": "A field of the Pod itself.",
        "fieldPath": "Path of the field: metadata.name, metadata.labels['app'], spec.nodeName, status.podIP, …",
        "apiVersion": "Version in which the path is meant: v1.",
    },
    c.KeySelector: {
        "": "One entry of a ConfigMap or Secret in the Pod's namespace.",
        "key": "Name of the entry.",
        "name": "Name of the ConfigMap or Secret.",
        "optional": "true: the container also starts without it. Else it waits until it is there.",
    },
    c.EnvFromSource: {
        "": "A ConfigMap or Secret all of whose entries become variables.",
        "prefix": "Text put before each name.",
        "configMapRef": "The ConfigMap.",
        "secretRef": "The Secret.",
    },
    c.EnvSource: {
        "": "A ConfigMap or Secret in the Pod's namespace.",
        "name": "Its name.",
        "optional": "true: the container also starts without it. Else it waits until it is there.",
    },
    c.ResourceRequirements: {
        "": "How much of the machine a container may use, and how much is kept for it.",
        "limits": "At most this much: `cpu` in cores (500m is half of one), `memory` in bytes (64Mi). More processor "
        "is withheld; for more memory the container is killed.",
        "requests": "At least this much is kept for it on the node that the scheduler chooses; if not said, as "
        "`limits`.",
    },
    c.VolumeMount: {
        "": "Where a volume appears in a container.",
        "name": "Name of one of the Pod's volumes.",
        "mountPath": "The directory, or file, at which it appears.",
        "readOnly": "true: it cannot be written to.",
        "subPath": "Only this directory or file of the volume. It is then not renewed when a ConfigMap changes.",
    },
    # --- probes and hooks ---
    c.Probe: {
        "": "A question put to a container again and again. Exactly one of `httpGet`, `tcpSocket`, `exec`.",
        "httpGet": "Ask over HTTP: from 200 to 399 is yes.",
        "tcpSocket": "Open a connection: if it opens, that is yes.",
        "exec": "Run a command in the container: exit code 0 is yes.",
        "initialDelaySeconds": "How many seconds after the start to ask for the first time.",
        "timeoutSeconds": "After how many seconds without an answer it is a no; 1 if not said.",
        "periodSeconds": "How many seconds lie between two questions; 10 if not said.",
        "successThreshold": "How many times yes in a row make a yes; 1 for liveness and startup.",
        "failureThreshold": "How many times no in a row make a no; 3 if not said.",
        "terminationGracePeriodSeconds": "How many seconds the container has to end if the probe has it stopped, "
        "instead of the Pod's own time.",
    },
    c.HTTPGetAction: {
        "": "An HTTP request.",
        "port": "The port, by number or by the name of a container's port.",
        "path": "The path; / if not said.",
        "host": "Where to connect; the Pod's address if empty. For another virtual host use the header Host.",
        "scheme": "HTTP or HTTPS. The certificate is not checked.",
        "httpHeaders": "Headers to send.",
    },
    c.HTTPHeader: {"": "A header of an HTTP request.", "name": "Name of the header.", "value": "Its value."},
    c.TCPSocketAction: {
        "": "A connection that is opened and closed again.",
        "port": "The port, by number or by the name of a container's port.",
        "host": "Where to connect; the Pod's address if empty.",
    },
    c.ExecAction: {
        "": "A command that is run in the container.",
        "command": "Program and arguments. No shell is involved; name one if you need it.",
    },
    c.Lifecycle: {
        "": "What to do at turning points of a container's life.",
        "preStop": "Before it is told to stop. A short sleep here lets the news reach every node's proxy before the "
        "server closes its port. It counts against the Pod's grace period.",
    },
    c.LifecycleHandler: {
        "": "What to do; one of these.",
        "exec": "Run a command in the container.",
        "httpGet": "Send an HTTP request to it.",
        "sleep": "Just wait.",
    },
    c.SleepAction: {"": "A wait.", "seconds": "How many seconds."},
    # --- rights ---
    c.SecurityContext: {
        "": "As whom, and with which rights a container runs.",
        "capabilities": "Rights of the superuser that it gets or loses.",
        "runAsUser": "Number of the user, instead of the image's.",
        "runAsGroup": "Number of the group.",
        "readOnlyRootFilesystem": "true: it can write to volumes only.",
    },
    c.Capabilities: {
        "": "Rights of the superuser that a container gets or loses, by their names without CAP_.",
        "add": "Rights it gets, such as NET_ADMIN.",
        "drop": "Rights it loses; ALL for all of them.",
    },
    # --- what became of it ---
    c.ContainerStatus: {
        "": "What became of a container.",
        "name": "Name of the container.",
        "state": "What it does now.",
        "lastState": "How it ended the last time, if it was restarted.",
        "ready": "Whether it can serve: it runs, has started, and its readiness probe says yes.",
        "restartCount": "How often it was restarted.",
        "image": "The image it was made from.",
        "imageID": "Digest of that image.",
        "containerID": "Identity of the container, with the runtime before it: docker://…",
        "started": "Whether its startup probe has said yes; true without one, once it runs.",
    },
    c.ContainerState: {
        "": "What a container does: at most one of the three.",
        "waiting": "It does not run yet, or not again.",
        "running": "It runs.",
        "terminated": "It has ended.",
    },
    c.ContainerStateWaiting: {
        "": "Why a container does not run.",
        "reason": "In one word: ContainerCreating, ErrImagePull, CrashLoopBackOff, …",
        "message": "In a sentence.",
    },
    c.ContainerStateRunning: {"": "A container that runs.", "startedAt": "Since when."},
    c.ContainerStateTerminated: {
        "": "How a container ended.",
        "exitCode": "Its exit code; 128 and the signal's number if a signal ended it, so 137 is SIGKILL.",
        "signal": "Number of the signal that ended it.",
        "reason": "In one word: Completed, Error, OOMKilled.",
        "message": "In a sentence.",
        "startedAt": "When it started.",
        "finishedAt": "When it ended.",
        "containerID": "Identity of the container.",
    },
}
