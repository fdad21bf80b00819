"""MLflow's only door: a store, and the runs written into it."""
