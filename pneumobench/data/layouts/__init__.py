"""How a folder or an archive of images becomes rows: one dataset layout a file."""
