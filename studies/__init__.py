"""The built-in studies: each file asks one question and defines one value named `study`."""
