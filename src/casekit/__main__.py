"""``python -m casekit``: the command line."""

import sys

from casekit.cli import main

sys.exit(main())
