"""Calling services by name: the manager, its proxies, and methods compiled under their policies."""
