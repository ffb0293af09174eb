"""HTTP/1: reading and writing it, connections to clients and to backends."""
