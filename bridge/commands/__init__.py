"""What every door may ask: authorise, decide, reply (pure)."""
