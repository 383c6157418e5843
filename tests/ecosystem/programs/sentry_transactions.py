"""sentry-sdk's integration of grpc: a transaction of the server for every call, in the caller's trace."""

import grpc
import sentry_sdk
from calls import call_all, serve
from sentry_sdk.integrations.grpc import GRPCIntegration
from sentry_sdk.transport import Transport

kept = []


class Keep(Transport):
    def capture_envelope(self, envelope):
        kept.extend(item.payload.json for item in envelope.items if item.payload.json)


sentry_sdk.init(
    dsn="https://key@localhost/1",
    transport=Keep,
    traces_sample_rate=1.0,
    integrations=[GRPCIntegration()],
    default_integrations=False,
)
server, target = serve()
with sentry_sdk.start_transaction(name="job") as job, grpc.insecure_channel(target) as channel:
    call_all(channel)
server.stop(None).wait()
sentry_sdk.flush(5)
served = [each for each in kept if each.get("transaction", "").startswith("/t.T/")]
print(sorted(each["transaction"] for each in served))
print("one trace", {each["contexts"]["trace"]["trace_id"] for each in served} == {job.trace_id})
(mine,) = [each for each in kept if each.get("transaction") == "job"]
print(sorted((span["description"], span["data"].get("code")) for span in mine["spans"]))
