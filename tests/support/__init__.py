"""Real parts from outside, driven by tests: processes, SIPp, baresip, Mosquitto, the agent itself."""
