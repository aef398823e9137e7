"""Saying that an input is not played here."""


class Elsewhere(Exception):
    """The product has no such door, or the input is played by the tests of another part; says which."""
