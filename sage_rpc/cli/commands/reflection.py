"""Any gRPC server, as its reflection service describes it: services, methods, calls with JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import grpc
from google.protobuf import descriptor_pool, json_format, message_factory
from google.protobuf.descriptor import MethodDescriptor

from sage_rpc.cli.commands.printing import CommandError
from sage_rpc.encoding.naming import snake_case
from sage_rpc.endpoints.opening import insecure_channel
from sage_rpc.endpoints.subchannel import tls_of_environment
from sage_rpc.rpc.channel import secure_channel
from sage_rpc.text.foreign import hint

__all__ = ["Reflected"]


class Reflected:
    """A server, seen through grpc.reflection.

    Args:
        target: a gRPC target.
        secure: by TLS, with the files that SAGE_RPC_TLS_CA, _CERT and _KEY name.

    Raises:
        CommandError: reflection cannot be had; the text says why.
    """

    def __init__(self, target: str, *, secure: bool = False) -> None:
        try:
            from grpc_reflection.v1alpha.proto_reflection_descriptor_database import (
                ProtoReflectionDescriptorDatabase,
            )
        except ImportError:
            raise CommandError("this needs grpcio-reflection: pip install 'sage-rpc[serve]'") from None
        self._target = target
        self.channel: Any = (
            secure_channel(target, tls_of_environment() or grpc.ssl_channel_credentials())
            if secure
            else insecure_channel(target)
        )
        self._database = ProtoReflectionDescriptorDatabase(self.channel)
        self._pool = descriptor_pool.DescriptorPool(self._database)

    def names(self) -> list[str]:
        """Full names of the services.

        Raises:
            CommandError: the server has no reflection, or cannot be reached.
        """
        try:
            return sorted(self._database.get_services())
        except grpc.RpcError as error:
            if error.code() is grpc.StatusCode.UNIMPLEMENTED:
                raise CommandError(f"the server at {self._target} has no reflection service") from None
            raise CommandError(f"{self._target}: {error.code().name}: {error.details()}") from None

    def services(self) -> dict[str, list[dict[str, Any]]]:
        """Every service and its methods."""
        found = {}
        for name in self.names():
            found[name] = [
                {
                    "name": m.name,
                    "request": ("stream " if m.client_streaming else "") + m.input_type.full_name,
                    "response": ("stream " if m.server_streaming else "") + m.output_type.full_name,
                }
                for m in self._pool.FindServiceByName(name).methods
            ]
        return found

    def method(self, service: str, method: str) -> MethodDescriptor:
        """A method by its declared or its snake_case name.

        Raises:
            CommandError: there is none; the text names those that there are.
        """
        names = self.names()
        if service not in names:
            meant = hint(service, names, "it has ")
            raise CommandError(f"the server at {self._target} has no service {service!r}; {meant}")
        methods = {m.name: m for m in self._pool.FindServiceByName(service).methods}
        for name, each in list(methods.items()):
            methods.setdefault(snake_case(name), each)
        if method not in methods:
            meant = hint(method, methods, "it has ")
            raise CommandError(f"{service} has no method {method!r}; {meant}")
        found: MethodDescriptor = methods[method]
        return found

    def call(self, method: MethodDescriptor, arguments: Any, timeout: float) -> Iterator[Any]:
        """Call a method with JSON values. Yields responses as JSON values.

        Args:
            method: of this server.
            arguments: an object for one request, a list of them for a stream of requests.
            timeout: seconds for the whole call.

        Raises:
            CommandError: the arguments do not fit.
            grpc.RpcError: the call failed.
        """
        request: Any = message_factory.GetMessageClass(method.input_type)
        response: Any = message_factory.GetMessageClass(method.output_type)

        def parse(value: Any) -> Any:
            try:
                return json_format.Parse(json.dumps(value), request())
            except json_format.ParseError as error:
                fields = ", ".join(f.name for f in method.input_type.fields) or "none"
                raise CommandError(f"{method.full_name}: {error}; fields: {fields}") from None

        kinds = {
            (False, False): self.channel.unary_unary,
            (False, True): self.channel.unary_stream,
            (True, False): self.channel.stream_unary,
            (True, True): self.channel.stream_stream,
        }
        function = kinds[method.client_streaming, method.server_streaming](
            f"/{method.containing_service.full_name}/{method.name}",
            request_serializer=request.SerializeToString,
            response_deserializer=response.FromString,
        )
        if method.client_streaming:
            listed = arguments if isinstance(arguments, list) else [arguments]
            given: Any = iter([parse(value) for value in listed])
        else:
            given = parse(arguments if arguments is not None else {})
        answer = function(given, timeout=timeout)
        for message in answer if method.server_streaming else [answer]:
            yield json_format.MessageToDict(message, preserving_proto_field_name=True)

    def close(self) -> None:
        """Close the channel."""
        self.channel.close()

    def __enter__(self) -> Reflected:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Reflected {self._target}>"
