"""Login by OpenID Connect at work: what is asked of providers, and what becomes of requests."""
