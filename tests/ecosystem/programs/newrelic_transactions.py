"""New Relic's agent, which wraps grpcio's private classes: it sees the calls of both ends."""

import os

os.environ.update(
    NEW_RELIC_LICENSE_KEY="x" * 40,
    NEW_RELIC_APP_NAME="t",
    NEW_RELIC_DEVELOPER_MODE="1",
    NEW_RELIC_MONITOR_MODE="0",
    NEW_RELIC_LOG="/dev/null",
    NEW_RELIC_STARTUP_TIMEOUT="5",
)

import newrelic.agent

newrelic.agent.initialize()
newrelic.agent.register_application(timeout=5)
import calls
import grpc

served = []


def one(request, _context):
    transaction = newrelic.agent.current_transaction(active_only=False)
    served.append(transaction and transaction.background_task)
    return request


usual = calls.handlers
calls.handlers = lambda: {
    **usual(),
    "One": grpc.unary_unary_rpc_method_handler(one, calls.Text.FromString, calls.Text.SerializeToString),
}
server, target = calls.serve()


@newrelic.agent.background_task(name="job")
def job():
    with grpc.insecure_channel(target) as channel:
        calls.call_all(channel)
    print([(node.library, node.method) for node in newrelic.agent.current_trace().children])


job()
print("served in transactions", served)
server.stop(None).wait()
os._exit(0)
