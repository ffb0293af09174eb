"""HTTP/2 (RFC 9113) without I/O: reading and writing it, both ends of a connection."""
