"""Buttons to commands, states to lamp signals."""
