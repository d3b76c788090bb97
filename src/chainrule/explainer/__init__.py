"""Derivations written down: to read, to look at, to export."""
