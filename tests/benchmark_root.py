"""Makes `benchmarks/` importable, which is no installed package: import this before it."""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent

if str(ROOT) not in sys.path:
    sys.path.append(str(ROOT))
