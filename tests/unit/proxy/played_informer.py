"""An informer without an API server: it holds what it is told, and tells those who asked to hear."""

from minik8s.api.meta import key as key_of


class Memory:
    """An informer that holds what it is told."""

    def __init__(self, *objects) -> None:
        self.objects = {key_of(each): each for each in objects}
        self.handlers = []

    def on_change(self, handler) -> None:
        self.handlers.append(handler)
        for each in self.objects.values():
            handler(None, each)

    def get(self, key):
        return self.objects.get(key)

    def values(self):
        return list(self.objects.values())

    def put(self, obj) -> None:
        old, self.objects[key_of(obj)] = self.objects.get(key_of(obj)), obj
        for handler in self.handlers:
            handler(old, obj)

    def remove(self, key) -> None:
        old = self.objects.pop(key)
        for handler in self.handlers:
            handler(old, None)

    wrote = put

    def removed(self, obj) -> None:
        self.remove(key_of(obj))
