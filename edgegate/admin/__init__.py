"""Looking into a gateway while it runs: views of what it serves, and the listener that shows them."""
