"""Contract tests: the bridge from outside, with real phones, a real broker, a real terminal."""
