"""Studies: Optuna's only door."""
