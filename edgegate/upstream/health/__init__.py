"""Which endpoints may be chosen: probes and outlier detection."""
