"""Where calls go on to: transfers, diversions, the outside, and talks that do without us."""
