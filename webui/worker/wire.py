"""Messages on a pipe, as MessagePack: whatever arrives can be read or refused, but never run. Knows no process."""

from __future__ import annotations

from multiprocessing.connection import Connection
from typing import Any

import msgspec
from pydantic import TypeAdapter

from webui.worker.messages import MESSAGES, FromWorker, ToWorker

_ADAPTERS: dict[str, TypeAdapter[Any]] = {kind.__name__: TypeAdapter(kind) for kind in MESSAGES}


def to_bytes(message: ToWorker | FromWorker) -> bytes:
    """The message's name and fields as MessagePack."""
    return msgspec.msgpack.encode((type(message).__name__, message))


def from_bytes(content: bytes) -> Any:
    """The message that `to_bytes` wrote. Raises ValueError for anything else."""
    found = msgspec.msgpack.decode(content)
    if not isinstance(found, list) or len(found) != 2 or found[0] not in _ADAPTERS:
        raise ValueError("no message of ours")
    return _ADAPTERS[found[0]].validate_python(found[1])


def send(connection: Connection, message: ToWorker | FromWorker) -> None:
    """Sends a message. Raises OSError if nobody is listening any more."""
    connection.send_bytes(to_bytes(message))


def receive(connection: Connection) -> Any:
    """Waits for the next message. Raises EOFError and OSError at the pipe's end, ValueError as `from_bytes` does."""
    return from_bytes(connection.recv_bytes())
