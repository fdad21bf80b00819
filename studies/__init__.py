"""The built-in studies: one file, one question, one value named `study`."""
