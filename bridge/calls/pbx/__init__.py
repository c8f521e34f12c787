"""Upstream: trunks, and what is known of the lines behind them and of analogue ones."""
