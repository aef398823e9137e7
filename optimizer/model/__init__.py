"""The mixed-integer models: of one SKU, of some, of all; and the one place that talks to the solver."""
