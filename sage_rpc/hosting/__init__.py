"""Hosting a service: what of a class can be called, who may, and its life."""
