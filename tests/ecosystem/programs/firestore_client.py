"""google-cloud-firestore against a server that keeps documents in a dict: set, get, a query, an error."""

import os
from concurrent import futures

import grpc
from google.api_core import exceptions
from google.cloud.firestore_v1.types import document, firestore, write
from google.protobuf import timestamp_pb2

documents: dict[str, document.Document] = {}
NOW = timestamp_pb2.Timestamp(seconds=1)


def commit(request, context):
    for each in request.writes:
        if each.update.name.endswith("forbidden"):
            context.abort(grpc.StatusCode.PERMISSION_DENIED, "not this one")
        documents[each.update.name] = document.Document(
            name=each.update.name, fields=each.update.fields, create_time=NOW, update_time=NOW
        )
    results = [write.WriteResult(update_time=NOW) for _ in request.writes]
    return firestore.CommitResponse(write_results=results, commit_time=NOW)


def batch_get(request, _context):
    for name in request.documents:
        if name in documents:
            yield firestore.BatchGetDocumentsResponse(found=documents[name], read_time=NOW)
        else:
            yield firestore.BatchGetDocumentsResponse(missing=name, read_time=NOW)


def run_query(_request, _context):
    for each in documents.values():
        yield firestore.RunQueryResponse(document=each, read_time=NOW)


methods = {
    "Commit": grpc.unary_unary_rpc_method_handler(
        commit, firestore.CommitRequest.deserialize, firestore.CommitResponse.serialize
    ),
    "BatchGetDocuments": grpc.unary_stream_rpc_method_handler(
        batch_get,
        firestore.BatchGetDocumentsRequest.deserialize,
        firestore.BatchGetDocumentsResponse.serialize,
    ),
    "RunQuery": grpc.unary_stream_rpc_method_handler(
        run_query, firestore.RunQueryRequest.deserialize, firestore.RunQueryResponse.serialize
    ),
}
server = grpc.server(futures.ThreadPoolExecutor(8))
handler = grpc.method_handlers_generic_handler("google.firestore.v1.Firestore", methods)
server.add_generic_rpc_handlers((handler,))
port = server.add_insecure_port("localhost:0")
server.start()
os.environ["FIRESTORE_EMULATOR_HOST"] = f"localhost:{port}"

from google.cloud import firestore as client

database = client.Client(project="project")
cities = database.collection("cities")
for name, people in (("Berlin", 3), ("Oslo", 1)):
    cities.document(name).set({"people": people, "names": [name, name.lower()]})
print(sorted(cities.document("Berlin").get().to_dict().items()), cities.document("Rome").get().exists)
print(sorted((found.id, found.get("people")) for found in cities.stream()))
try:
    cities.document("forbidden").set({})
except exceptions.PermissionDenied as error:
    print("denied", error.message)
server.stop(None)
