"""One plugin's training, from images to a tracked result."""
