"""Guards: policies of access as they are compiled, a module for each kind. Each decides who may pass."""
