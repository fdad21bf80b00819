"""Which plugin is better: tracked runs set against each other in pairs."""
