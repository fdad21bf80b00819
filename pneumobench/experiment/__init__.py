"""One plugin's training, from images to tracked result."""
