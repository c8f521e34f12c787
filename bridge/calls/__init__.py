"""One machine per call: the caller's leg, the members' legs and the hunt tied together (sans-IO)."""
