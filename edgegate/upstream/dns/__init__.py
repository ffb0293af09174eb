"""The addresses of backends that are known by name."""
