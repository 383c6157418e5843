"""`python -m sage_rpc` is the sage-rpc command."""

from __future__ import annotations

import sys

from sage_rpc.cli.main import main

sys.exit(main())
