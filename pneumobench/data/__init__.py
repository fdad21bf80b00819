"""X-rays: where from, whose, which side of a split, how read."""
