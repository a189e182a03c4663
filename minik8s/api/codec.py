"""Bytes to objects and back. Lenient on the way in: an object from any API server decodes.

Unknown fields are dropped and nulls count as absent (Go writes `null` for an empty list). Strictness belongs to
admission; see `unknown.py`.

What must hold: the first look at a type is taken by one thread alone. msgspec (0.22) notes on a class what its fields
are while it finds out, and another thread that reads the same class meanwhile follows a null pointer.
"""

import threading
from typing import Any, TypeVar

import msgspec

T = TypeVar("T")

_encoder = msgspec.json.Encoder()
_decoders: dict[type, msgspec.json.Decoder[Any]] = {}
_looking = threading.Lock()  # guards the making of a decoder, not its use


def drop_nulls(value: Any) -> Any:
    """The same value without the keys that are null. A null in a list stays: it holds a place."""
    if isinstance(value, dict):
        return {key: drop_nulls(each) for key, each in value.items() if each is not None}
    if isinstance(value, list):
        return [drop_nulls(each) for each in value]
    return value


def decode(cls: type[T], data: bytes | str) -> T:
    """Decode JSON. Raises msgspec.ValidationError (wrong type, with its path) or msgspec.DecodeError (not JSON)."""
    try:
        return _decoder(cls).decode(data)
    except msgspec.ValidationError:
        # The fast path knows no nulls where a list or a text is expected; the slow path forgives them.
        return msgspec.convert(drop_nulls(msgspec.json.decode(data)), cls)


def encode(obj: Any) -> bytes:
    """Encode an object, or plain values, as JSON."""
    return _encoder.encode(obj)


def to_dict(obj: Any) -> dict[str, Any]:
    """Plain dicts, lists and scalars, as the wire has them."""
    return msgspec.to_builtins(obj)


def from_dict(cls: type[T], data: dict[str, Any]) -> T:
    """The typed object of plain values. Raises msgspec.ValidationError with the path of what is wrong."""
    _decoder(cls)
    try:
        return msgspec.convert(data, cls)
    except msgspec.ValidationError:
        return msgspec.convert(drop_nulls(data), cls)  # as in `decode`


def _decoder(cls: type[T]) -> msgspec.json.Decoder[T]:
    """The decoder of a type. Once it is there, the type and all that it is made of are known to `convert` too."""
    found = _decoders.get(cls)
    if found is None:
        with _looking:
            found = _decoders.get(cls) or msgspec.json.Decoder(cls)
            _decoders[cls] = found
    return found
