"""A pipeline that uses the services of config.yaml, wherever they run: `python pipeline.py [ROWS]`.

It finds them by name. In another process of the same host its calls travel through memory, from
another host through gRPC: the code is the same, and what carried the calls is printed at the end.
"""

from __future__ import annotations

import sys

from sage_rpc import ServiceManager
from sage_rpc.operators import LocalEnvironment, MapFunction

QUESTIONS = ("brown dog", "memory of one host", "the network", "what is started again", "lazy fox")


class Answer(MapFunction):
    def execute(self, question: str) -> dict[str, object]:
        known = self.call_service["cache"].get(question)
        if known is not None:
            return {"question": question, "answer": known, "from": "cache"}
        answer = self.call_service["search"].closest(question)
        self.call_service_async["cache"].put(question, answer).result(timeout=5.0)
        return {"question": question, "answer": answer, "from": "search"}


def main() -> int:
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    env = LocalEnvironment("pipeline")
    for name in ("cache", "search"):
        env.register_endpoint(name, f"sage:///{name}")
    questions = [QUESTIONS[i % len(QUESTIONS)] for i in range(rows)]
    answers = env.from_batch(questions).map(Answer).collect()
    for answer in answers[:5]:
        print(f"{answer['question']!r} -> {answer['answer']!r} ({answer['from']})")
    with ServiceManager({name: f"sage:///{name}" for name in ("cache", "search")}) as manager:
        manager.get_sync_proxy("cache").size()
        manager.get_sync_proxy("search").closest("fox")
        carried = {name: manager.transport_of(name) for name in manager.services}
    print(f"{len(answers)} answers; transports: {carried}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
