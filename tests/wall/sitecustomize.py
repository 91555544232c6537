"""Loaded by every Python process that the tests begin: none of them leaves this machine."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[2]))

from tests.sandbox.egress import build_wall

build_wall()
