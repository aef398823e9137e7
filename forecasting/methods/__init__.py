"""How a panel of series is forecast: what each is, and the methods that serve it, for all series at once."""
