"""What runs on a serial panel: MicroPython for a Raspberry Pi Pico."""
