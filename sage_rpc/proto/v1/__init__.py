"""Generated protobuf modules; see codegen/generate.py."""
