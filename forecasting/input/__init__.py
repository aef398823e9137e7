"""From frames to checked arrays on one calendar, or an error that names series, row and field."""
