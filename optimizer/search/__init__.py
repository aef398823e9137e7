"""From a problem to a plan with a proven bound: at once, SKU by SKU, or again after a change."""
