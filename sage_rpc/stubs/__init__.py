"""What generated code stands on: clients, bases of servicers, and the binding of both to channels."""
