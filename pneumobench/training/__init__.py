"""A plugin and a split -> a predictor."""
