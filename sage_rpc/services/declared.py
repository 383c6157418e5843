"""Methods of declared services: how a call of one travels."""

from __future__ import annotations

from typing import Any

from google.protobuf import message_factory
from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor

from sage_rpc.encoding import messages
from sage_rpc.encoding.buffers import size_of
from sage_rpc.encoding.naming import snake_case
from sage_rpc.policies.sources.proto import declared_policy
from sage_rpc.services.codec import Codec, same
from sage_rpc.text.foreign import shown, similar

__all__ = ["DeclaredCodecs"]


class DeclaredCodecs:
    """Methods of a protobuf service: snake_case or the declared names, keyword arguments as fields."""

    def __init__(self, service: ServiceDescriptor) -> None:
        self._service = service
        self._methods: dict[str, MethodDescriptor] = {}
        for method in service.methods:
            self._methods[method.name] = method
            self._methods.setdefault(snake_case(method.name), method)

    def find(self, name: str) -> Codec:
        """The codec of a method.

        Raises:
            AttributeError: there is none, or it is a streaming one.
        """
        method = self._methods.get(name)
        if method is None:
            known = sorted({snake_case(m.name) for m in self._service.methods})
            close = similar(name, known)
            hint = f"did you mean {', '.join(close)}?" if close else f"it has {', '.join(known)}"
            raise AttributeError(f"the service {self._service.full_name} has no method {shown(name)}; {hint}")
        if method.client_streaming or method.server_streaming:
            raise AttributeError(f"{method.full_name} is a streaming method; use the generated stub for it")
        request: Any = message_factory.GetMessageClass(method.input_type)
        response: Any = message_factory.GetMessageClass(method.output_type)
        full_name = method.full_name
        fields = [field.name for field in method.input_type.fields]
        incomplete = messages.may_be_incomplete(request)

        def message(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
            if args:
                if len(args) == 1 and not kwargs and isinstance(args[0], request):
                    if incomplete:
                        messages.check_complete(full_name, args[0])
                    return args[0]
                raise messages.invalid(
                    f"{full_name} takes one {request.DESCRIPTOR.full_name} or its fields by keyword: "
                    f"{', '.join(fields) or 'it has none'}"
                )
            made = messages.made(full_name, request, kwargs)
            if incomplete:
                messages.check_complete(full_name, made)
            return made

        def encode(args: tuple[Any, ...], kwargs: dict[str, Any]) -> bytes:
            return bytes(message(args, kwargs).SerializeToString())

        def key(args: tuple[Any, ...], kwargs: dict[str, Any]) -> bytes:
            return bytes(message(args, kwargs).SerializeToString(deterministic=True))

        def copied(message: Any) -> Any:
            copy = response()
            copy.CopyFrom(message)
            return copy

        declared = declared_policy(method)
        return Codec(
            service=self._service.full_name,
            method=method.name,
            name=full_name,
            path=f"/{self._service.full_name}/{method.name}",
            serializer=None,
            deserializer=response.FromString,
            encode=encode,
            check=None,
            decode=same,
            copy=copied,
            keep=same,
            sent=len,
            received=size_of,
            key=key,
            declared=declared,
            response=response,
        )
