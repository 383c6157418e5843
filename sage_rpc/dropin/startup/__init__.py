"""A directory for PYTHONPATH, so that Python imports its `sitecustomize`: `sage-rpc run --children`."""
