"""Derivatives of the NumPy functions you already wrote."""

__version__ = "0.1.0"
