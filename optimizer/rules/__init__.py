"""The rules without a solver: what a plan may be, what it costs, how much room each rule leaves."""
