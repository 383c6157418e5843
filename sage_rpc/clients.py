"""A door to `sage_rpc.stubs.clients` that keeps its place: generated code imports it."""

from sage_rpc.stubs.clients import (
    AioBinder,
    AioClient,
    AioStream,
    AnyClient,
    AsyncBinder,
    AsyncClient,
    Binder,
    Client,
    Directory,
    Metadata,
    Stream,
    deprecated,
    request_of,
)

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
