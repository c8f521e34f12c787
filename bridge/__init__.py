"""CTI bridge: hunt groups, logins and lamps beside a SIP PBX, on a Raspberry Pi."""

__version__ = "0.1.0"
