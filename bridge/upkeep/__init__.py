"""What whoever keeps the box alive asks of a running agent: what passed, more of the log, numbers, the watchdog."""
