"""Which pins of the Pico have keys and lamps: what may be changed for a panel of one's own."""

KEYS = (2, 3, 4, 5, 6, 7, 8, 9)
"""The pins of the keys 1, 2, ...: each a button to ground."""

LAMPS = (16, 17, 18, 19, 20, 21, 22, 26)
"""The pins of the lamps 1, 2, ...: each a LED with its resistor to ground."""
