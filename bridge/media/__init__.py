"""Sound on its way: RTP, G.711, telephone events, tones; and media through the bridge. Pure but for `relay`."""
