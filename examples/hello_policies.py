"""A service on three endpoints, one of which is killed while calls go on: nobody notices.

python examples/hello_policies.py
"""

from __future__ import annotations

import os
import subprocess
import sys

import sage_rpc
from sage_rpc.policies import BreakerPolicy, CachePolicy, MethodPolicy, RetryPolicy, ServicePolicy


class Prices:
    """A plain class. Each endpoint is a process with one."""

    def get(self, item: str) -> float:
        return len(item) / 2

    def whose(self) -> int:
        return os.getpid()


POLICY = ServicePolicy(
    default=MethodPolicy(timeout=2.0, idempotent=True, retry=RetryPolicy(max_attempts=4)),
    methods={"get": MethodPolicy(cache=CachePolicy(ttl=60), fallback=None)},
    breaker=BreakerPolicy(failure_rate=0.5),
)


def serve() -> None:
    with sage_rpc.ServiceHost("prices", Prices()) as host:
        print(host.address, flush=True)
        sys.stdin.read()


def main() -> None:
    command = [sys.executable, __file__, "serve"]
    processes = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(3)
    ]
    targets = [process.stdout.readline().strip() for process in processes]
    with sage_rpc.ServiceManager({"prices": targets}, policies={"prices": POLICY}) as manager:
        prices = manager.get_sync_proxy("prices")
        print(f"apple: {prices.get('apple')}, and again from the cache: {prices.get('apple')}")
        print(f"{len({prices.whose() for _ in range(30)})} endpoints answer")
        processes[0].kill()
        processes[0].wait()
        print(f"{len({prices.whose() for _ in range(30)})} endpoints answer, and no call failed")
        print(f"a batch of three: {prices.batch('get', ['fig', 'pear', 'cherry'])}")
        for row in manager.stats():
            failures = row.failures or "no failures"
            print(f"{row.service}.{row.method}: {row.calls} calls over {row.transport}, {failures}")
    for process in processes[1:]:
        process.communicate()
    processes[0].stdin.close()
    processes[0].stdout.close()


if __name__ == "__main__":
    serve() if "serve" in sys.argv else main()
