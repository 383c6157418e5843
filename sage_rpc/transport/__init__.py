"""Ways to carry a call; gRPC's own is grpcio itself."""
