"""What the clients that `protoc-gen-sage` writes are made of; see docs/guide/ for their use.

A generated client has one method per rpc. It makes the request from keyword arguments (`request_of`) and
hands it to a callable that was bound when the client was made. Three kinds of client differ in nothing but
what binds their methods: `Client` waits, `AsyncClient` gives futures, `AioClient` gives coroutines.

What the calls themselves promise stands in `sage_rpc.stubs.binding`.
"""

from __future__ import annotations

import sys
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar, Protocol, runtime_checkable

import grpc
from typing_extensions import Self

from sage_rpc.encoding.messages import request_of
from sage_rpc.endpoints.opening import aio_insecure_channel, insecure_channel
from sage_rpc.rpc.channel import Channel
from sage_rpc.stubs.binding import AioBinder, AioStream, AsyncBinder, Binder, Metadata, Stream

if sys.version_info >= (3, 13):
    from warnings import deprecated
else:
    from typing_extensions import deprecated

__all__ = [
    "AioBinder",
    "AioClient",
    "AioStream",
    "AnyClient",
    "AsyncBinder",
    "AsyncClient",
    "Binder",
    "Client",
    "Directory",
    "Metadata",
    "Stream",
    "deprecated",
    "request_of",
]


# -- the clients' bases


@runtime_checkable
class Directory(Protocol):
    """What knows where services are: a `sage_rpc.ServiceManager`, or the one of `sage_rpc.aio`."""

    @property
    def timeout(self) -> float | None:
        """Seconds a call may take where nothing else is said; None for no limit."""

    def channel_of(self, service: str, name: str | None = None) -> grpc.Channel | grpc.aio.Channel:
        """The channel to a declared service, by its full name; the directory's to close."""

    def aio_channel_of(self, service: str, name: str | None = None) -> grpc.aio.Channel:
        """A channel for the running event loop, to be closed by the caller."""


class AnyClient(ABC):
    """What all kinds of client have in common: how they come to their channel, and keep or close it.

    Attributes:
        SERVICE: full name of the service, as the `.proto` has it.
        KEEPS: whether a manager may keep such a client, for all threads.
    """

    SERVICE: ClassVar[str]
    KEEPS: ClassVar[bool] = True
    _OTHER: ClassVar[tuple[type, str]]  # the other kind's, and what makes the right one

    _channel: Any
    _owned: bool

    def __init__(
        self,
        source: str | grpc.Channel | grpc.aio.Channel | Directory,
        *,
        name: str | None = None,
        options: Sequence[tuple[str, Any]] | None = None,
    ) -> None:
        self._made_of = (source, name, options)
        timeout: float | None = None
        if name is not None and not isinstance(source, Directory):
            raise TypeError(f"name={name!r} is for one of a ServiceManager's services, not for {source!r}")
        if options is not None and not isinstance(source, str):
            raise TypeError(f"options are for a channel made here from a target; {source!r} has its own")
        if isinstance(source, str):
            self._channel, self._owned = self._open(source, options), True
        elif isinstance(source, Directory):
            self._channel, self._owned, timeout = self._open_by_name(source, name)
        elif isinstance(source, self._OTHER[0]):
            raise TypeError(f"{type(self).__name__} needs a channel from {self._OTHER[1]}, not {source!r}")
        elif callable(getattr(source, "unary_unary", None)):
            self._channel, self._owned = source, False
        else:
            raise TypeError(
                f"{type(self).__name__} is made from a channel, a target such as 'localhost:50051' or a "
                f"ServiceManager, not {source!r}"
            )
        self._bind(self._channel, timeout)

    @staticmethod
    @abstractmethod
    def _open(target: str, options: Sequence[tuple[str, Any]] | None) -> Any:
        """A channel of this kind."""

    @abstractmethod
    def _open_by_name(self, manager: Directory, name: str | None) -> tuple[Any, bool, float | None]:
        """-> a channel to the manager's service, whether it is this client's own, the usual timeout."""

    @abstractmethod
    def _bind(self, channel: Any, timeout: float | None) -> None:
        """Bind the methods to `channel`; their calls take `timeout` seconds where nobody says otherwise."""

    def __reduce__(self) -> tuple[Any, ...]:
        return _remade, (type(self), *self._made_of)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._channel!r}>"


def _remade(
    kind: type[AnyClient], source: Any, name: str | None, options: Sequence[tuple[str, Any]] | None
) -> AnyClient:
    return kind(source, name=name, options=options)


class _ThreadedClient(AnyClient):
    """A client over a `grpc.Channel`."""

    _OTHER = (grpc.aio.Channel, "sage_rpc.insecure_channel or grpc.insecure_channel")

    @staticmethod
    def _open(target: str, options: Sequence[tuple[str, Any]] | None) -> Channel:
        return insecure_channel(target, options)

    def _open_by_name(self, manager: Directory, name: str | None) -> tuple[Any, bool, float | None]:
        channel = manager.channel_of(self.SERVICE, name)
        if isinstance(channel, grpc.aio.Channel):
            raise TypeError(f"{type(self).__name__} needs a sage_rpc.ServiceManager, not {manager!r}")
        return channel, False, manager.timeout

    def close_channel(self) -> None:
        """Close the channel, if this client has made it: if it was made from a target."""
        if self._owned:
            self._channel.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close_channel()


class Client(_ThreadedClient):
    """The base of clients whose methods wait for the response.

    Args:
        source: a channel, a target such as "localhost:50051", or a ServiceManager.
        name: which of the manager's services, where it knows several of this kind.
        options: of the channel that is made from a target.

    A context manager, which closes a channel that was made from a target. May be shared between threads,
    and pickles if its source does.

    Raises:
        TypeError: `source` is none of these.
        NotFound: the manager knows no such service.
    """

    def _bind(self, channel: Any, timeout: float | None) -> None:
        self._bind_methods(Binder(channel, timeout))

    @abstractmethod
    def _bind_methods(self, binder: Binder) -> None:
        """Written by the generator: one line per method."""


class AsyncClient(_ThreadedClient):
    """The base of clients whose methods give a `concurrent.futures.Future` at once; else as `Client`."""

    def _bind(self, channel: Any, timeout: float | None) -> None:
        self._bind_methods(AsyncBinder(channel, timeout))

    @abstractmethod
    def _bind_methods(self, binder: AsyncBinder) -> None:
        """Written by the generator: one line per method."""


class AioClient(AnyClient):
    """The base of clients for asyncio; made in the event loop that uses it.

    Args:
        source: an asyncio channel, a target such as "localhost:50051", or a ServiceManager.
        name: which of the manager's services, where it knows several of this kind.
        options: of the channel that is made from a target.

    An asynchronous context manager, which closes a channel that was not given.

    Raises:
        TypeError: `source` is none of these.
        NotFound: the manager knows no such service.
    """

    KEEPS = False
    _OTHER = (grpc.Channel, "sage_rpc.aio.insecure_channel or grpc.aio.insecure_channel")

    @staticmethod
    def _open(target: str, options: Sequence[tuple[str, Any]] | None) -> grpc.aio.Channel:
        return aio_insecure_channel(target, options)

    def _open_by_name(self, manager: Directory, name: str | None) -> tuple[Any, bool, float | None]:
        return manager.aio_channel_of(self.SERVICE, name), True, manager.timeout

    def _bind(self, channel: Any, timeout: float | None) -> None:
        self._bind_methods(AioBinder(channel, timeout))

    @abstractmethod
    def _bind_methods(self, binder: AioBinder) -> None:
        """Written by the generator: one line per method."""

    async def close_channel(self) -> None:
        """Close the channel, if this client has made it: if it was made from a target or a manager."""
        if self._owned:
            await self._channel.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.close_channel()
