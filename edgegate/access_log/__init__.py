"""The access log that the files or options ask for: formats of their own, filters, and where lines go."""
