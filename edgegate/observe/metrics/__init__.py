"""
What is counted for Prometheus: Istio's and Envoy's metrics, and the gateway's own.

C{families} has every name in tables; C{meters} has the numbers, which grow
outside of the Snapshot; C{exposition} writes them as text.
"""
