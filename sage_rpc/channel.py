"""The grpc-shaped client channel (grows the memory-queue picker next)."""

import grpc

insecure_channel = grpc.insecure_channel
