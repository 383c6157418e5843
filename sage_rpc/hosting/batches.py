"""Batches of declared services, at their host: many calls of one unary method in one round trip.

The generic service carries them (`sage.rpc.v1.Invocation/Batch`); each call runs the handler as if it had
come alone, with a context of its own for how it ends. Everything else it asks its context for is the batch's.
"""

from __future__ import annotations

import contextlib
import logging
from collections import Counter
from typing import TYPE_CHECKING, Any, NoReturn

import grpc

from sage_rpc.encoding import values
from sage_rpc.encoding.naming import snake_case
from sage_rpc.observe.measured import measured
from sage_rpc.observe.served import UNKNOWN, Meter
from sage_rpc.observe.stats import BATCH_OF
from sage_rpc.proto.v1 import invoke_pb2
from sage_rpc.text.exceptions import text_of
from sage_rpc.text.foreign import shown

if TYPE_CHECKING:
    from sage_rpc.hosting.guard import Guard

__all__ = ["DeclaredBatches"]

_LOGGER = logging.getLogger("sage_rpc")


class _AbortedError(Exception):
    """One call of a batch was aborted."""


class _OneOfBatch:
    """The context of one call: it ends for itself."""

    def __init__(self, context: grpc.ServicerContext) -> None:
        self._context = context
        self._code = grpc.StatusCode.OK
        self._details = ""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._context, name)

    def abort(self, code: grpc.StatusCode, details: str) -> NoReturn:
        """As grpc's."""
        self._code, self._details = code, details
        raise _AbortedError

    def abort_with_status(self, status: Any) -> NoReturn:
        """As grpc's."""
        self.abort(status.code, status.details)

    def set_code(self, code: grpc.StatusCode) -> None:
        """As grpc's."""
        self._code = code

    def set_details(self, details: str) -> None:
        """As grpc's."""
        self._details = details

    def code(self) -> grpc.StatusCode:
        """As grpc's."""
        return self._code

    def details(self) -> str:
        """As grpc's."""
        return self._details

    def set_trailing_metadata(self, _metadata: Any) -> None:
        """A call of a batch has none."""

    def send_initial_metadata(self, _metadata: Any) -> None:
        """A call of a batch has none."""


class DeclaredBatches:
    """The servicer, of one host."""

    def __init__(self) -> None:
        self._handlers: dict[tuple[str, str], tuple[Any, Guard]] = {}

    def add(self, service: str, method: str, handler: Any, guard: Guard) -> None:
        """Serve batches of a method.

        Args:
            service: full name.
            method: declared name.
            handler: grpc's, of a unary method.
            guard: of the service.
        """
        self._handlers[service, method] = handler, guard

    def handler(self, meter: Meter | None, name: str) -> grpc.GenericRpcHandler:
        """What a server's `add_generic_rpc_handlers` takes; `meter` counts the calls, as of `name`."""
        batch = grpc.unary_unary_rpc_method_handler(
            self._batch, invoke_pb2.BatchRequest.FromString, invoke_pb2.BatchResponse.SerializeToString
        )
        if meter is not None:

            def named(request: Any) -> tuple[str, str]:
                known = request is not None and (request.service, request.method) in self._handlers
                return name, BATCH_OF + snake_case(request.method) if known else UNKNOWN

            batch = measured(meter, batch, named)
        return grpc.method_handlers_generic_handler("sage.rpc.v1.Invocation", {"Batch": batch})

    def _batch(
        self, request: invoke_pb2.BatchRequest, context: grpc.ServicerContext
    ) -> invoke_pb2.BatchResponse:
        found = self._handlers.get((request.service, request.method))
        if found is None:
            context.abort(
                grpc.StatusCode.UNIMPLEMENTED,
                f"no batches of {shown(request.service)}, method {shown(request.method)} here",
            )
            raise AssertionError("abort returned")
        handler, guard = found
        served = guard.life.enter(context)
        try:
            with guard.around(request.method, context) if guard.checks else contextlib.nullcontext():
                try:
                    calls = values.decode(request.calls)
                    requests = [handler.request_deserializer(call) for call in calls]
                except Exception as error:
                    context.abort(
                        grpc.StatusCode.INVALID_ARGUMENT,
                        f"a batch of {request.service}.{request.method}: {text_of(error)}",
                    )
                    raise
                results, failures = [], []
                members: Counter[grpc.StatusCode] = Counter()
                record = getattr(context, "sage_rpc_record", None)
                if record is not None:
                    record.members = members
                for index, each in enumerate(requests):
                    one = _OneOfBatch(context)
                    results.append(_answered(handler, each, one))
                    members[one.code()] += 1
                    if one.code() is not grpc.StatusCode.OK:
                        results[-1] = None
                        failures.append(
                            invoke_pb2.CallException(
                                index=index, code=one.code().value[0], details=one.details() or ""
                            )
                        )
                return invoke_pb2.BatchResponse(results=values.encode(results), exceptions=failures)
        finally:
            guard.life.leave(served)

    def __repr__(self) -> str:
        return f"<DeclaredBatches of {len(self._handlers)} methods>"


def _answered(handler: Any, request: Any, one: _OneOfBatch) -> bytes | None:
    """The response of one call, serialized; `one` says how it ended."""
    try:
        data: bytes = handler.response_serializer(handler.unary_unary(request, one))
    except _AbortedError:
        return None
    except BaseException as error:  # SystemExit, too, ends one call and no other
        _LOGGER.exception("Exception in a call of a batch")
        one.set_code(grpc.StatusCode.UNKNOWN)
        one.set_details(f"Exception calling application: {text_of(error)}")
        return None
    return data
