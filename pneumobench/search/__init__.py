"""Studies: the only package that imports Optuna."""
