"""Studies: the only package that imports Optuna."""

import warnings

warnings.filterwarnings("ignore", message="IProgress not found")  # tqdm's, as a notebook's kernel imports Optuna
