"""What is going on at the moment: rates, shares of errors and latencies, for whoever looks, and nothing for nobody."""
