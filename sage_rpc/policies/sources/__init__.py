"""Where policies are said: a decorator, plain data, gRPC's service config, options in a `.proto`."""
