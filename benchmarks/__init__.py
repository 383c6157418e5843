"""Speed of sage_rpc beside stock grpcio and others, in one run on one machine: `python -m benchmarks`.

Rules of this package:

1. Servers and callers are processes of their own, new for every measurement, so that no peer inherits
   another's threads, caches or memory.
2. Repeats go round-robin over the peers, so that a disturbance of the machine meets all of them.
3. Every response is compared with what was sent. A wrong one fails the cell, whatever its speed.
4. Only ratios of one run mean anything; the reference is stock grpcio over a Unix socket.
"""
