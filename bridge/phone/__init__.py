"""Phones to try the bridge with: one on our own stack, and a caller on another one, in a process of its own."""
