"""The journal without its disk: what an entry is, what may be asked, what is counted, who is shown what (pure)."""
