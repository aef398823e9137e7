"""The same problem with something otherwise, or with demand that is not known."""
