"""google-cloud-pubsub against a server that keeps messages in a list: publish, pull, acknowledge, fail."""

import os
import threading
from concurrent import futures

import grpc
from google.api_core import exceptions
from google.protobuf import empty_pb2
from google.pubsub_v1.types import pubsub

queue: list[pubsub.ReceivedMessage] = []
acknowledged: set[str] = set()
changed = threading.Condition()


def publish(request, _context):
    with changed:
        names = [str(len(queue) + number) for number in range(len(request.messages))]
        for name, message in zip(names, request.messages, strict=True):
            kept = pubsub.PubsubMessage(data=message.data, message_id=name)
            queue.append(pubsub.ReceivedMessage(ack_id=name, message=kept))
        changed.notify_all()
    return pubsub.PublishResponse(message_ids=names)


def get_topic(_request, context):
    context.abort(grpc.StatusCode.NOT_FOUND, "no such topic")


def streaming_pull(requests, context):
    next(requests)

    def read():
        try:
            for request in requests:
                acknowledge(request, context)
        except grpc.RpcError:
            pass  # the client has ended the call

    threading.Thread(target=read, daemon=True).start()
    sent = 0
    while context.is_active():
        with changed:
            if sent == len(queue):
                changed.wait(0.1)
            batch, sent = queue[sent:], len(queue)
        if batch:
            yield pubsub.StreamingPullResponse(received_messages=batch)


def acknowledge(request, _context):
    with changed:
        acknowledged.update(request.ack_ids)
        changed.notify_all()
    return empty_pb2.Empty()


def unary(behavior, request, serializer):
    return grpc.unary_unary_rpc_method_handler(behavior, request.deserialize, serializer)


publisher = {
    "Publish": unary(publish, pubsub.PublishRequest, pubsub.PublishResponse.serialize),
    "GetTopic": unary(get_topic, pubsub.GetTopicRequest, pubsub.Topic.serialize),
}
empty = empty_pb2.Empty.SerializeToString
subscriber = {
    "StreamingPull": grpc.stream_stream_rpc_method_handler(
        streaming_pull, pubsub.StreamingPullRequest.deserialize, pubsub.StreamingPullResponse.serialize
    ),
    "Acknowledge": unary(acknowledge, pubsub.AcknowledgeRequest, empty),
    "ModifyAckDeadline": unary(lambda *_: empty_pb2.Empty(), pubsub.ModifyAckDeadlineRequest, empty),
}
server = grpc.server(futures.ThreadPoolExecutor(16))
for name, methods in (("Publisher", publisher), ("Subscriber", subscriber)):
    handler = grpc.method_handlers_generic_handler(f"google.pubsub.v1.{name}", methods)
    server.add_generic_rpc_handlers((handler,))
port = server.add_insecure_port("localhost:0")
server.start()
os.environ["PUBSUB_EMULATOR_HOST"] = f"localhost:{port}"

from google.cloud import pubsub_v1

COUNT = 200
publishing = pubsub_v1.PublisherClient()
topic = publishing.topic_path("project", "topic")
sent = [publishing.publish(topic, b"%d" % number) for number in range(COUNT)]
print("published", len({each.result(20) for each in sent}))
try:
    publishing.get_topic(topic=topic)
except exceptions.NotFound as error:
    print("not found", error.message, error.grpc_status_code, isinstance(error.errors[0], grpc.RpcError))

received: set[bytes] = set()
all_there = threading.Event()


def on_message(message):
    received.add(message.data)
    message.ack()
    if len(received) == COUNT:
        all_there.set()


subscribing = pubsub_v1.SubscriberClient()
pulling = subscribing.subscribe(subscribing.subscription_path("project", "subscription"), callback=on_message)
print("received", all_there.wait(20), len(received))
with changed:
    print("acknowledged", changed.wait_for(lambda: len(acknowledged) == COUNT, 20))
pulling.cancel()
print("cancelled", pulling.result(20))
subscribing.close()
publishing.stop()
server.stop(None)
