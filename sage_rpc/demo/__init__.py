"""The main job on real input: handwritten digits, classified by operators that call three services.

`python -m sage_rpc.demo`, `sage-rpc demo` or `make demo` runs it; it needs the extra `demo`.
"""
