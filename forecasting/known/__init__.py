"""What is known ahead (price, promotions, holidays) as factors, and what all series share beside it."""
