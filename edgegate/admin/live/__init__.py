"""What the admin listener streams to whoever looks: what happens at the moment."""
