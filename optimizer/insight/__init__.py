"""What is asked of a plan: the worth of relief, the price of share caps, why a share is what it is."""
