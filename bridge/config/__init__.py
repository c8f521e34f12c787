"""TOML to frozen settings, every mistake reported at once."""
