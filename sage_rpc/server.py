"""The grpc-shaped server (grows the memory-queue listener next)."""

import grpc

server = grpc.server
