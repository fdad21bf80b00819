"""The built-in plugins: each file has one idea and defines one value named `plugin`."""
