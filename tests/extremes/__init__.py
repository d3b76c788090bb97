"""Slopes at the ends of the range of numbers, against mpmath: tables of points and of functions."""
