"""Trainings spread over processes, GPUs, or a Ray cluster: engines, workers, and what keeps them busy."""
