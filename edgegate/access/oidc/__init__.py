"""Login by OpenID Connect: sessions in cookies, the way to the provider and back, and what it says."""
