"""Text that somebody else chose, made safe to report: of exceptions, and of names and records."""
