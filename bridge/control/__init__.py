"""The local control socket: the door of the command line."""
