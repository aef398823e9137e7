"""The corpus of bad input against the product: entries, two doors, and where each slot leads."""
