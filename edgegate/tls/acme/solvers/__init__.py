"""How challenges of authorities are answered (RFC 8555 section 8): a module for each kind."""
