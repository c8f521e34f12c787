"""Drawing the state machines of SIP from their tables."""
