"""How a request gets its response from a backend: tries, retries, shadows, tunnels."""
