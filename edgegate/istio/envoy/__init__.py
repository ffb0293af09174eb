"""As much of Envoy's configuration as EnvoyFilters may say here, read into the model: each mistake has its place."""
