"""Sound on its way: RTP, G.711, telephone events, tones and what is heard of them. Pure."""
