"""What `cti-bridge doctor` looks at: each room of the machine and each peer, told as ok, warn or fail with what to do.

A check is a function of the `Patient` that returns findings; it asks the network itself, with sockets of its own, and
changes nothing anywhere. What only the running agent knows is taken from its answers. `rounds` is the list of checks.
"""
