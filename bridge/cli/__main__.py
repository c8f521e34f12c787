"""`python -m bridge.cli` is the command `cti-bridge`."""

import sys

from bridge.cli.main import main

sys.exit(main())
