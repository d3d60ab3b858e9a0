"""`saccade-models quicken`."""

import argparse
from pathlib import Path

SUMMARY = "Publish a version once more, with a form for MNN, where that is quicker than LiteRT."


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Declares the artifact's folder, and whether it is to be published in any case."""
    parser.add_argument("artifact", type=Path, help="a version's folder in a model repository")
    parser.add_argument("--force", action="store_true", help="publish it even if it is no quicker")


def run(flags: argparse.Namespace) -> None:
    """Makes it, and prints what was gained in a line."""
    from saccade_models.inspection import open_artifact
    from saccade_models.quickening import quicken

    done = quicken(open_artifact(flags.artifact), force=flags.force)
    print(
        f"MNN has {done.form.single_ratio:.2f} times the speed of LiteRT with single images and "
        f"{done.form.batch_ratio:.2f} times in batches (one thread, this machine), and differs by "
        f"{done.form.max_abs_error:.1g} from the SavedModel, {done.path}"
    )
