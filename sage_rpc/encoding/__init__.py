"""What travels in a message, and how: values, large buffers, tensors, requests of declared services."""
