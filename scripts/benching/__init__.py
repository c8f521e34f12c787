"""Measures the bridge on loopback, beside a peer in the same run."""
