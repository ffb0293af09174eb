"""How endpoints are asked for their health."""
