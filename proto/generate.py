"""Generates the Python stubs of `proto/saccade`, or checks that they are up to date.

Two compilers, each in its environment under `.venv-proto` (see README.md): one writes the
messages and all type stubs, the older one the services.
"""

import argparse
import filecmp
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PROTO = ROOT / "proto"
STUBS = ROOT / "client" / "src" / "saccade" / "v1"
MESSAGES = ROOT / ".venv-proto" / "messages" / "bin"
SERVICES = ROOT / ".venv-proto" / "services" / "bin"


def main() -> int:
    """Runs the command; returns its exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="compare, write nothing")
    check: bool = parser.parse_args().check
    with tempfile.TemporaryDirectory() as folder:
        generate(Path(folder))
        fresh = Path(folder) / "saccade" / "v1"
        stale = differing(fresh, STUBS)
        if not check:
            for name in stale:
                write(fresh / name, STUBS / name)
    if check and stale:
        print(f"stubs differ from proto/, run `make proto`: {', '.join(stale)}", file=sys.stderr)
        return 1
    print(f"stubs: {len(stale)} written" if not check else "stubs: up to date")
    return 0


def generate(folder: Path) -> None:
    """Writes all stubs below `folder`, in the folders that their import paths name."""
    sources = sorted(str(path.relative_to(PROTO)) for path in PROTO.glob("saccade/**/*.proto"))
    services = [name for name in sources if "\nservice " in (PROTO / name).read_text()]
    plugin = f"--plugin=protoc-gen-mypy_grpc={MESSAGES / 'protoc-gen-mypy_grpc'}"
    compile_protos(MESSAGES, [f"--python_out={folder}", f"--pyi_out={folder}"], sources)
    compile_protos(MESSAGES, [plugin, f"--mypy_grpc_out={folder}"], services)
    compile_protos(SERVICES, [f"--grpc_python_out={folder}"], services)
    (folder / "saccade" / "v1" / "__init__.py").write_text(
        '"""Generated messages and service stubs of the `saccade.v1` API."""\n'
    )


def compile_protos(tools: Path, outputs: list[str], sources: list[str]) -> None:
    """Runs one protoc over `sources`."""
    protoc = [str(tools / "python"), "-W", "ignore", "-m", "grpc_tools.protoc"]
    subprocess.run([*protoc, f"--proto_path={PROTO}", *outputs, *sources], check=True)


def differing(fresh: Path, committed: Path) -> list[str]:
    """Names of files that are not the same in both folders."""
    names = {path.name for folder in (fresh, committed) for path in folder.glob("*.py*")}
    same, _, _ = filecmp.cmpfiles(fresh, committed, names, shallow=False)
    return sorted(names - set(same))


def write(source: Path, target: Path) -> None:
    """Copies a fresh stub over the committed one, or removes one without a source."""
    if source.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(source.read_bytes())
    else:
        target.unlink()


if __name__ == "__main__":
    sys.exit(main())
