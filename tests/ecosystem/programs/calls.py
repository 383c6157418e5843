"""What the programs of agents share: a server of every kind of call, and calls that succeed and fail."""

from concurrent import futures

import grpc
from google.protobuf import wrappers_pb2

Text = wrappers_pb2.StringValue


def bad(_request, context):
    context.abort(grpc.StatusCode.NOT_FOUND, "not there")


def join(requests, _context):
    return Text(value="".join(each.value for each in requests))


def handlers():
    form = {"request_deserializer": Text.FromString, "response_serializer": Text.SerializeToString}
    return {
        "One": grpc.unary_unary_rpc_method_handler(lambda request, _context: request, **form),
        "Many": grpc.unary_stream_rpc_method_handler(lambda request, _context: iter([request] * 2), **form),
        "Join": grpc.stream_unary_rpc_method_handler(join, **form),
        "Both": grpc.stream_stream_rpc_method_handler(lambda requests, _context: requests, **form),
        "Bad": grpc.unary_unary_rpc_method_handler(bad, **form),
    }


def serve(**arguments):
    """-> a server that has started, and its target"""
    server = grpc.server(futures.ThreadPoolExecutor(4), **arguments)
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("t.T", handlers()),))
    port = server.add_insecure_port("localhost:0")
    server.start()
    return server, f"localhost:{port}"


def call_all(channel, *, futures=True):
    """Call every method, and print what came."""

    def method(kind, name):
        return getattr(channel, kind)(f"/t.T/{name}", Text.SerializeToString, Text.FromString)

    def two():
        return iter([Text(value="a"), Text(value="b")])

    attempts = {
        "One": lambda: method("unary_unary", "One")(Text(value="x"), timeout=20).value,
        "Many": lambda: [each.value for each in method("unary_stream", "Many")(Text(value="x"), timeout=20)],
        "Join": lambda: method("stream_unary", "Join")(two(), timeout=20).value,
        "Both": lambda: [each.value for each in method("stream_stream", "Both")(two(), timeout=20)],
        "Bad": lambda: method("unary_unary", "Bad")(Text(value="x"), timeout=20),
        "future": lambda: method("unary_unary", "One").future(Text(value="x"), timeout=20).result(20).value,
    }
    if not futures:
        del attempts["future"]
    for name, attempt in attempts.items():
        try:
            print(name, attempt())
        except grpc.RpcError as error:
            print(name, error.code(), error.details())
