"""RTP and G.711."""
