"""TLS: ClientHello, contexts, the SNI context map, verification of peers, key material."""
