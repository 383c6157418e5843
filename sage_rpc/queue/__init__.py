"""SageQueue: a queue that processes of one host open by name; its native part stands beside it."""

from sage_rpc.queue.named import QueueClosed, QueueCorrupted, SageQueue

__all__ = ["QueueClosed", "QueueCorrupted", "SageQueue"]
