"""Words for volumes: `api/volumes.py`, `api/claims.py`."""

from minik8s.api import volumes
from minik8s.api.words.table import Words

# What would be mounted by those that minik8s keeps as they were written.
FOREIGN = {
    "awsElasticBlockStore": "A disk of Amazon's.",
    "azureDisk": "A disk of Microsoft's.",
    "azureFile": "A file share of Microsoft's.",
    "cephfs": "A directory in Ceph.",
    "cinder": "A disk of OpenStack's.",
    "fc": "A disk on Fibre Channel.",
    "flexVolume": "A volume of a driver of the old kind.",
    "flocker": "A volume of Flocker.",
    "gcePersistentDisk": "A disk of Google's.",
    "gitRepo": "A Git repository, cloned.",
    "glusterfs": "A directory in GlusterFS.",
    "iscsi": "A disk over iSCSI.",
    "photonPersistentDisk": "A disk of Photon.",
    "portworxVolume": "A volume of Portworx.",
    "quobyte": "A volume of Quobyte.",
    "rbd": "A block device in Ceph.",
    "scaleIO": "A volume of ScaleIO.",
    "storageos": "A volume of StorageOS.",
    "vsphereVolume": "A disk of VMware's.",
}

WORDS: Words = {
    volumes.Volume: {
        "": "Files that containers may mount; one source beside the name.",
        "name": "Name of the volume, for `volumeMounts`.",
        "emptyDir": "An empty directory that lives as long as the Pod: containers share files in it.",
        "configMap": "The entries of a ConfigMap, each as a file.",
        "secret": "The entries of a Secret, each as a file.",
        "hostPath": "A file or directory of the node itself. Whoever may write it may well have the node.",
        "downwardAPI": "Fields of the Pod itself, each as a file.",
        "projected": "Several sources in one directory: ConfigMaps, Secrets, the Pod's own fields, a token.",
        "persistentVolumeClaim": "Storage that outlives the Pod, by the claim to it.",
        "ephemeral": "Storage that lives as long as the Pod, by a claim made for it.",
        "csi": "A volume of a storage driver.",
        "nfs": "A directory of an NFS server.",
        "image": "The files of a container image.",
        **FOREIGN,
    },
    volumes.EmptyDirVolumeSource: {
        "": "An empty directory that lives as long as the Pod.",
        "medium": "Empty: the node's disk. Memory: a file system in memory.",
        "sizeLimit": "How much it may hold, such as 64Mi.",
    },
    volumes.ConfigMapVolumeSource: {
        "": "The entries of a ConfigMap, each as a file, written when a container starts.",
        "name": "Name of the ConfigMap.",
        "items": "Only these entries, under these paths; all if empty.",
        "defaultMode": "Permissions of the files; 0644 (in JSON: 420) if not said.",
        "optional": "true: the Pod also starts without it. Else it waits until it is there.",
    },
    volumes.SecretVolumeSource: {
        "": "The entries of a Secret, each as a file, written when a container starts.",
        "secretName": "Name of the Secret.",
        "items": "Only these entries, under these paths; all if empty.",
        "defaultMode": "Permissions of the files; 0644 (in JSON: 420) if not said.",
        "optional": "true: the Pod also starts without it. Else it waits until it is there.",
    },
    volumes.KeyToPath: {
        "": "Which entry becomes which file.",
        "key": "Name of the entry.",
        "path": "Path of the file below the mount; never up from it.",
        "mode": "Permissions of the file, instead of `defaultMode`.",
    },
    volumes.HostPathVolumeSource: {
        "": "A file or directory of the node itself.",
        "path": "Its path on the node.",
        "type": "What must be there: Directory, File, Socket, …; DirectoryOrCreate and FileOrCreate make it. Empty: "
        "anything.",
    },
    # --- the Pod's own fields ---
    volumes.ObjectFieldSelector: {
        "": "A field of the Pod itself.",
        "fieldPath": "Path of the field: metadata.name, metadata.labels['app'], spec.nodeName, status.podIP, …",
        "apiVersion": "Version in which the path is meant: v1.",
    },
    volumes.ResourceFieldSelector: {
        "": "A limit or request of a container.",
        "resource": "Which: limits.cpu, limits.memory, requests.cpu, requests.memory.",
        "containerName": "Of which container; of this one if empty.",
        "divisor": "In which unit, such as 1m or 1Mi; 1 if not said.",
    },
    volumes.DownwardAPIVolumeSource: {
        "": "Fields of the Pod itself, each as a file.",
        "items": "The files.",
        "defaultMode": "Permissions of the files; 0644 (in JSON: 420) if not said.",
    },
    volumes.DownwardAPIVolumeFile: {
        "": "A field of the Pod as a file.",
        "path": "Path of the file below the mount.",
        "fieldRef": "A field of the Pod: name, namespace, labels, annotations, uid.",
        "resourceFieldRef": "A limit or request of a container.",
        "mode": "Permissions of the file, instead of `defaultMode`.",
    },
    # --- several sources ---
    volumes.ProjectedVolumeSource: {
        "": "Several sources in one directory.",
        "sources": "The sources.",
        "defaultMode": "Permissions of the files; 0644 (in JSON: 420) if not said.",
    },
    volumes.VolumeProjection: {
        "": "One source of several; one of these.",
        "secret": "Entries of a Secret.",
        "downwardAPI": "Fields of the Pod itself.",
        "configMap": "Entries of a ConfigMap.",
        "serviceAccountToken": "A token of the Pod's ServiceAccount, renewed before it ends.",
        "clusterTrustBundle": "Certificates of a ClusterTrustBundle.",
    },
    volumes.ConfigMapProjection: {
        "": "Entries of a ConfigMap, as files beside others.",
        "name": "Name of the ConfigMap.",
        "items": "Only these entries, under these paths; all if empty.",
        "optional": "true: the Pod also starts without it. Else it waits until it is there.",
    },
    volumes.SecretProjection: {
        "": "Entries of a Secret, as files beside others.",
        "name": "Name of the Secret.",
        "items": "Only these entries, under these paths; all if empty.",
        "optional": "true: the Pod also starts without it. Else it waits until it is there.",
    },
    volumes.DownwardAPIProjection: {"": "Fields of the Pod, as files beside others.", "items": "The files."},
    volumes.ServiceAccountTokenProjection: {
        "": "A token of the Pod's ServiceAccount, as a file.",
        "path": "Path of the file below the mount.",
        "audience": "Who is to believe it; the API server if empty.",
        "expirationSeconds": "For how many seconds it is good; an hour if not said, ten minutes at least.",
    },
    volumes.ClusterTrustBundleProjection: {
        "": "Certificates of a ClusterTrustBundle, as a file.",
        "path": "Path of the file below the mount.",
        "name": "Name of the bundle.",
        "signerName": "All bundles of this signer, instead of one by name.",
        "labelSelector": "Which of the signer's bundles.",
        "optional": "true: the Pod also starts without it.",
    },
    # --- storage that minik8s has not ---
    volumes.PersistentVolumeClaimVolumeSource: {
        "": "Storage that outlives the Pod.",
        "claimName": "Name of the claim.",
        "readOnly": "true: it cannot be written to.",
    },
    volumes.EphemeralVolumeSource: {
        "": "Storage that lives as long as the Pod.",
        "volumeClaimTemplate": "What the claim is made from.",
    },
    volumes.PersistentVolumeClaimTemplate: {
        "": "What a claim is made from.",
        "metadata": "Labels and annotations of the claim.",
        "spec": "What is claimed.",
    },
    volumes.CSIVolumeSource: {
        "": "A volume of a storage driver.",
        "driver": "Name of the driver.",
        "readOnly": "true: it cannot be written to.",
        "fsType": "Its file system.",
        "volumeAttributes": "Settings that the driver knows.",
        "nodePublishSecretRef": "Secret with credentials for the driver.",
    },
    volumes.NFSVolumeSource: {
        "": "A directory of an NFS server.",
        "server": "Name or address of the server.",
        "path": "Path of the directory.",
        "readOnly": "true: it cannot be written to.",
    },
    volumes.ImageVolumeSource: {
        "": "The files of a container image.",
        "reference": "The image.",
        "pullPolicy": "Always, IfNotPresent or Never.",
    },
}
