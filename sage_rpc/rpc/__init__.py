"""The grpc-shaped faces: channels and servers, synchronous here and for asyncio in `aio`."""
