"""Limits that rules and tables share."""

LARGEST_QUANTITY = 1_000_000_000
"""Units in one row. Far above any order known, far below what 64-bit sums of many rows can hold."""

LARGEST_KEY = 2**63 - 1
"""The largest number that a key of either database can be."""
