"""X-ray datasets: their layouts, patients and splits, and how images are decoded and cached."""
