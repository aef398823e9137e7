"""From the quantities of a plan to the plan as it is given out, with what it says of itself."""
