"""The soak: thousands of calls of phones that behave by chance, and whether the bridge keeps anything of them."""
