"""Programs that only know `grpc`: our channels and servers put in the place of grpcio's."""
