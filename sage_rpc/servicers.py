"""A door to `sage_rpc.stubs.servicers` that keeps its place: generated code imports it."""

from sage_rpc.stubs.servicers import (
    AioServicerContext,
    AnyServicerContext,
    Base,
    Requests,
    Response,
    Responses,
    Rpc,
    ServicerContext,
)

__all__ = [
    "AioServicerContext",
    "AnyServicerContext",
    "Base",
    "Requests",
    "Response",
    "Responses",
    "Rpc",
    "ServicerContext",
]
