"""Guards: access policies as they are compiled, a module for each kind. Each decides who may pass."""
