"""The only package that imports MLflow: the tracking store, and the runs in it."""
