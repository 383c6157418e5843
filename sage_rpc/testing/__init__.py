"""For tests of programs that call services: fakes of services, channels that fail on demand, and pytest
fixtures.

Nothing here is a stand-in for sage_rpc itself: a fake is served by a real host and called over a real
transport, and a fault is injected into a real call.
"""

from sage_rpc.testing.fakes import FakeService, FakeServices, Recorded
from sage_rpc.testing.faults import Fault, FaultInjector, FaultyChannel

__all__ = ["FakeService", "FakeServices", "Fault", "FaultInjector", "FaultyChannel", "Recorded"]
