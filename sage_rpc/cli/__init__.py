"""The sage-rpc command."""

from sage_rpc.cli.main import main

__all__ = ["main"]
