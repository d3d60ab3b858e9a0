"""`python -m saccade_models` is the `saccade-models` command."""

import sys

from saccade_models.cli import main

if __name__ == "__main__":
    sys.exit(main())
