"""Callers whom we answer and let wait, and the agents who serve them."""
