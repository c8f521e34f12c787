"""What a restart takes up again, and what it ends."""
