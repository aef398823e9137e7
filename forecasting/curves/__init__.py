"""Pledge curves: on one scale, and where they land by a prior, by pick-up, or by a process over them."""
