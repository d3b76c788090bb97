"""Bridges to what uses gradients: plain functions and arrays. None is imported before its use."""
