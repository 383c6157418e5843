"""The memory queue: how two processes of one host meet and connect (docs/wire.md)."""
