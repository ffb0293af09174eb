"""The running gateway: the service, its data plane, reloads, signals, and what it says."""
