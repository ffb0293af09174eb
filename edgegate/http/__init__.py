"""HTTP: connections to clients and to backends, exchanges and the resources that answer them."""
