"""TCP and TLS routes: bytes relayed between a client and a backend."""
