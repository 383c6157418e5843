"""The format of calls to plain classes, `sage.rpc.v1.Invocation`: both halves of it."""

from __future__ import annotations

__all__ = ["BATCH_METHOD", "BATCH_STREAM_METHOD", "METHOD"]

METHOD = "/sage.rpc.v1.Invocation/Call"
BATCH_METHOD = "/sage.rpc.v1.Invocation/Batch"
BATCH_STREAM_METHOD = "/sage.rpc.v1.Invocation/BatchStream"
