"""`python -m demo [--lang zh] [--keep]`: the same as `starter.py demo`."""

import argparse
import os
import sys

from demo.play import main
from domain.locale import Locale

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--lang", choices=["zh", "en"], default="en")
parser.add_argument("--keep", action="store_true")
given = parser.parse_args()
code = main(Locale.ZH if given.lang == "zh" else Locale.EN, given.keep)
sys.stdout.flush()
sys.stderr.flush()
os._exit(code)
