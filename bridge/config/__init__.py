"""TOML to frozen settings, every mistake reported at once.

`find` tells where the configuration is, `load` reads it, `domain` makes the directory of it, `later` names what is
accepted and not in effect yet. pydantic is imported by this room alone.
"""
