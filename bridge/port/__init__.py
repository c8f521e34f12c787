"""The one port that every door sees: submit a command, follow the confirmed state."""
