"""Your own endpoints controller. Write `decide`; the rest brings what it says to the API server."""

import os

from minik8s.api import codec
from minik8s.api.core import Pod, Service
from minik8s.api.discovery import SERVICE_NAME, Endpoint, EndpointPort, EndpointSlice
from minik8s.api.meta import ObjectMeta, key, owner_of
from minik8s.client.informer import Informer
from minik8s.client.loop import Controller
from minik8s.client.queue import WorkQueue
from minik8s.client.rest import Client, NotFound, Why


def decide(service: Service, pods: list[Pod]) -> list[Endpoint]:
    """The endpoints of this Service. `pods` are all Pods of its namespace, whatever their labels and state."""
    return []


def sync(name: str) -> None:
    if (service := services.get(name)) is None:
        return
    meta = ObjectMeta(name=f"{service.metadata.name}-mine", namespace=service.metadata.namespace)
    meta.labels, meta.ownerReferences = {SERVICE_NAME: service.metadata.name}, [owner_of(service)]
    ports = [EndpointPort(name=p.name, protocol=p.protocol, port=p.targetPort or p.port) for p in service.spec.ports]
    wanted = EndpointSlice(metadata=meta, addressType="IPv4", ports=ports, endpoints=decide(service, pods.values()))
    change, why = {"endpoints": codec.to_dict(wanted).get("endpoints", [])}, Why("decide() said so", [service])
    try:
        client.patch(EndpointSlice, meta.name, meta.namespace, change, why=why)
    except NotFound:
        client.create(wanted, why=why)


if __name__ == "__main__":
    client, queue = Client.from_kubeconfig(os.environ["KUBECONFIG"], "my-endpoints"), WorkQueue()
    services, pods = Informer(client, Service, namespace="lab-04"), Informer(client, Pod, namespace="lab-04")
    services.on_change(lambda old, new: queue.add(key(new or old)))
    pods.on_change(lambda old, new: [queue.add(key(each)) for each in services.values()])
    Controller("my-endpoints", sync, queue, [services, pods]).run()
