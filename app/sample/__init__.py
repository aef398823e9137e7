"""A seeded, believable brand: its network, its orders, its pre-sales, and the hidden truth about each row.

`write_sample` is the only door. The package reads nothing but its own `data/` folder and knows nothing of the
rest of the product: what it writes is ordinary input that any user could have brought.
"""

from app.sample.sample import SampleFiles, write_sample

__all__ = ["SampleFiles", "write_sample"]
