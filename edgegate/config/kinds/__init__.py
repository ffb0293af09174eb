"""One module for each kind of document."""
