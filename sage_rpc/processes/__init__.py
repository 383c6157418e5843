"""Processes of our own, and what they and their parents say to each other.

Operators' workers and supervised services are started the same way: by path, with a control socket whose
end-of-file is their lifeline, in a process group that a guard ends when nobody else can.
"""
