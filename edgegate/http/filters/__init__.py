"""What happens to a request before it is routed on, and to its response on the way back."""
