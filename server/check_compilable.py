"""Checks that what `make compiled` compiles can be: everything but the C compiler's part (20 s)."""

import tomllib
from pathlib import Path
from tempfile import TemporaryDirectory

from mypyc.build import mypycify
from pathspec import PathSpec

ROOT = Path(__file__).parent


def find_modules(hook: dict[str, list[str]]) -> list[str]:
    """The files that a build hook's patterns choose."""
    included = PathSpec.from_lines("gitignore", hook["include"])
    excluded = PathSpec.from_lines("gitignore", hook["exclude"])
    sources = [path.relative_to(ROOT) for path in sorted(ROOT.glob("src/**/*.py"))]
    return [
        str(ROOT / path)
        for path in sources
        if included.match_file(path) and not excluded.match_file(path)
    ]


def main() -> None:
    """Exits with 1, and says why, where mypyc would."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    hook = project["tool"]["hatch"]["build"]["targets"]["wheel"]["hooks"]["mypyc"]
    with TemporaryDirectory() as folder:
        # Types are checked elsewhere, and by other rules: their cache would be lost each time.
        arguments = [*hook["mypy-args"], f"--cache-dir={folder}/types"]
        mypycify([*arguments, *find_modules(hook)], target_dir=folder)


if __name__ == "__main__":
    main()
