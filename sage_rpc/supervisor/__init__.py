"""Supervision: services in processes of their own, watched, restarted, drained, and never left behind."""
