"""The search for a member for one call: machine, strategies, trace (pure, virtual time)."""
