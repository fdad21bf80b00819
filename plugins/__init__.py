"""The built-in plugins: one file, one idea, one value named `plugin`."""
