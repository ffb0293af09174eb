"""HTTP: channels to clients, connections to backends, exchanges and the resources that answer them."""
