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
        "resizePolicy": "For each resource, whether a change of it restarts the container.",
        "restartPolicy": "For init containers: Always makes one that goes on running beside the others.",
        "volumeDevices": "Volumes that appear as raw devices.",
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
        "resourceFieldRef": "A limit or request of a container, such as limits.memory; 0 where there is none.",
    },
    c.ConfigMapKeySelector: {
        "": "One entry of a ConfigMap in the Pod's namespace.",
        "key": "Name of the entry.",
        "name": "Name of the ConfigMap.",
        "optional": "true: the container also starts without it. Else it waits until it is there.",
    },
    c.SecretKeySelector: {
        "": "One entry of a Secret in the Pod's namespace.",
        "key": "Name of the entry.",
        "name": "Name of the Secret.",
        "optional": "true: the container also starts without it. Else it waits until it is there.",
    },
    c.EnvFromSource: {
        "": "A ConfigMap or Secret all of whose entries become variables.",
        "prefix": "Text put before each name.",
        "configMapRef": "The ConfigMap.",
        "secretRef": "The Secret.",
    },
    c.ConfigMapEnvSource: {
        "": "A ConfigMap in the Pod's namespace.",
        "name": "Its name.",
        "optional": "true: the container also starts without it. Else it waits until it is there.",
    },
    c.SecretEnvSource: {
        "": "A Secret in the Pod's namespace.",
        "name": "Its name.",
        "optional": "true: the container also starts without it. Else it waits until it is there.",
    },
    c.ResourceRequirements: {
        "": "How much of the machine a container may use, and how much is kept for it.",
        "limits": "At most this much: `cpu` in cores (500m is half of one), `memory` in bytes (64Mi). More processor "
        "is withheld; for more memory the container is killed.",
        "claims": "Which of the Pod's `resourceClaims` it uses.",
        "requests": "At least this much is kept for it on the node that the scheduler chooses; if not said, as "
        "`limits`.",
    },
    c.VolumeMount: {
        "": "Where a volume appears in a container.",
        "name": "Name of one of the Pod's volumes.",
        "mountPath": "The directory, or file, at which it appears.",
        "readOnly": "true: it cannot be written to.",
        "subPathExpr": "As `subPath`, with $(NAME) replaced by that variable.",
        "mountPropagation": "Whether mounts made later in the volume are seen on the other side: None, "
        "HostToContainer, Bidirectional.",
        "recursiveReadOnly": "Whether `readOnly` holds for mounts inside it too: Disabled, IfPossible, Enabled.",
        "subPath": "Only this directory or file of the volume. It is then not renewed when a ConfigMap changes.",
    },
    c.VolumeDevice: {
        "": "A volume that appears as a raw device.",
        "name": "Name of one of the Pod's volumes.",
        "devicePath": "Path of the device in the container.",
    },
    c.ContainerResizePolicy: {
        "": "What a change of a resource does to a running container.",
        "resourceName": "The resource: cpu or memory.",
        "restartPolicy": "NotRequired or RestartContainer.",
    },
    c.ResourceClaim: {
        "": "A resource claim of the Pod that a container uses.",
        "name": "Name of one of the Pod's `resourceClaims`.",
        "request": "Which request of the claim; all if empty.",
    },
    # --- probes and hooks ---
    c.Probe: {
        "": "A question put to a container again and again. Exactly one of `httpGet`, `tcpSocket`, `exec`, `grpc`.",
        "grpc": "Ask a gRPC server for its health.",
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
    c.GRPCAction: {
        "": "A question to a gRPC server. minik8s only looks whether the port takes connections.",
        "port": "The port, by number.",
        "service": "Whose health is asked for; the whole server's if empty.",
    },
    c.ExecAction: {
        "": "A command that is run in the container.",
        "command": "Program and arguments. No shell is involved; name one if you need it.",
    },
    c.Lifecycle: {
        "": "What to do at turning points of a container's life.",
        "postStart": "Right after it was started, beside its main process.",
        "stopSignal": "The signal by which it is told to stop, instead of the image's; SIGTERM if neither says.",
        "preStop": "Before it is told to stop. A short sleep here lets the news reach every node's proxy before the "
        "server closes its port. It counts against the Pod's grace period.",
    },
    c.LifecycleHandler: {
        "": "What to do; one of these.",
        "exec": "Run a command in the container.",
        "httpGet": "Send an HTTP request to it.",
        "sleep": "Just wait.",
        "tcpSocket": "Kept for old objects; it never did anything in Kubernetes either.",
    },
    c.SleepAction: {"": "A wait.", "seconds": "How many seconds."},
    # --- rights ---
    c.SecurityContext: {
        "": "As whom, and with which rights a container runs.",
        "capabilities": "Rights of the superuser that it gets or loses.",
        "runAsUser": "Number of the user, instead of the image's.",
        "runAsGroup": "Number of the group.",
        "readOnlyRootFilesystem": "true: it can write to volumes only.",
        "privileged": "true: it has all rights and sees all devices, as root on the node has.",
        "allowPrivilegeEscalation": "false: no program in it can gain rights that its parent has not (setuid has no "
        "effect).",
        "runAsNonRoot": "true: it must not run as root.",
        "seccompProfile": "Which system calls it may make.",
        "appArmorProfile": "Which AppArmor profile holds for it.",
        "seLinuxOptions": "Which SELinux label it has.",
        "procMount": "How /proc is mounted: Default hides some of it, Unmasked does not.",
        "windowsOptions": "For Windows, which is not supported here.",
    },
    c.SeccompProfile: {
        "": "Which system calls a container may make.",
        "type": "RuntimeDefault: those that Docker allows, as always here. Unconfined: all. Localhost: by a file of "
        "the node.",
        "localhostProfile": "For Localhost: the file.",
    },
    c.AppArmorProfile: {
        "": "Which AppArmor profile holds for a container.",
        "type": "RuntimeDefault: Docker's own, as always here. Unconfined: none. Localhost: one that is loaded on the "
        "node.",
        "localhostProfile": "For Localhost: the name of the profile.",
    },
    c.SELinuxOptions: {
        "": "The SELinux label of a container.",
        "user": "The label's user.",
        "role": "The label's role.",
        "type": "The label's type.",
        "level": "The label's level.",
    },
    c.WindowsSecurityContextOptions: {
        "": "For Windows, which is not supported here.",
        "gmsaCredentialSpecName": "Name of a group managed service account's specification.",
        "gmsaCredentialSpec": "The specification itself.",
        "runAsUserName": "Name of the Windows user to run as.",
        "hostProcess": "Whether it runs as a process of the host.",
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
        "resources": "The limits and requests that it has now.",
        "allocatedResources": "What the node keeps for it.",
        "allocatedResourcesStatus": "Health of devices that it was given.",
        "volumeMounts": "How its volumes were mounted.",
        "user": "As whom it started.",
        "stopSignal": "The signal by which it is told to stop.",
        "started": "Whether its startup probe has said yes; true without one, once it runs.",
    },
    c.ContainerUser: {"": "As whom a container started.", "linux": "On Linux: numbers of user and groups."},
    c.LinuxContainerUser: {
        "": "As whom a container started, in numbers.",
        "uid": "Number of the user.",
        "gid": "Number of the group.",
        "supplementalGroups": "Numbers of further groups.",
    },
    c.ResourceStatus: {
        "": "Health of one resource of a container.",
        "name": "Name of the resource.",
        "resources": "Health of each device.",
    },
    c.ResourceHealth: {
        "": "Health of a device.",
        "resourceID": "Identity of the device.",
        "health": "Healthy, Unhealthy or Unknown.",
    },
    c.VolumeMountStatus: {
        "": "How a volume was mounted.",
        "name": "Name of the volume.",
        "mountPath": "Where it appears.",
        "readOnly": "Whether it cannot be written to.",
        "recursiveReadOnly": "Whether that holds for mounts inside it too.",
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
