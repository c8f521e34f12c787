"""What people order for the calls of a line: dial, pick up, hold, transfer; INVITE with Replaces."""
