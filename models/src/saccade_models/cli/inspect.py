"""`saccade-models inspect`."""

import argparse
from pathlib import Path

SUMMARY = "Print an artifact's manifest and verify the artifact."


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Declares the artifact's folder."""
    parser.add_argument("artifact", type=Path, help="a version's folder")
    parser.add_argument("--files", action="store_true", help="list every file with its checksum")


def run(flags: argparse.Namespace) -> None:
    """Prints what the manifest says, then what was verified."""
    from saccade_models.inspection import describe, list_files, open_artifact, verify
    from saccade_models.quiet import load_tensorflow

    artifact = open_artifact(flags.artifact)
    for heading, text in describe(artifact):
        print(f"{heading:<12}{text}")
    for line in list_files(artifact) if flags.files else ():
        print(f"{'file':<12}{line}")
    load_tensorflow()
    found = verify(artifact)
    errors = ", ".join(f"{kind} off by {error:.1g}" for kind, error in found.max_abs_errors.items())
    errors += "".join(f"; {kind} is not installed" for kind in found.not_installed)
    warmup = f"; {found.warmup_requests} warm-up requests" if found.warmup_requests else ""
    print(
        f"{'verified':<12}{found.files} checksums{warmup}; {found.samples} golden samples: {errors}"
    )
