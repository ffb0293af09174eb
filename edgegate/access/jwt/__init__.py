"""JSON Web Tokens (RFC 7519): where they are in a request, what they must be, and by whose keys they are signed."""
