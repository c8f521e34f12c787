"""Buttons, lamps and panels; imports nothing of bridge."""
