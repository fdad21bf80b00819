"""What a plugin's or a study's author writes, and how it is discovered."""
