"""Training: a plugin and the development side of a split -> a predictor."""
