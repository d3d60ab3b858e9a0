"""Generates what Python needs of `proto/`, or checks that it is up to date.

For `saccade`: stubs. For the protocols of others: descriptors, which the server loads into pools of
their own. Two compilers, each in its environment under `.venv-proto` (see README.md): one writes
the messages, all type stubs and the descriptors, the older one the services.
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
DESCRIPTORS = ROOT / "server" / "src" / "saccade_server" / "protocols"
PROTOCOLS = ("inference", "tensorflow_serving")
"""Folders whose files make one set of descriptors, of the same name."""

MESSAGES = ROOT / ".venv-proto" / "messages" / "bin"
SERVICES = ROOT / ".venv-proto" / "services" / "bin"


def main() -> int:
    """Runs the command; returns its exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="compare, write nothing")
    check: bool = parser.parse_args().check
    with tempfile.TemporaryDirectory() as folder:
        generate(Path(folder))
        stale = []
        for fresh, committed, pattern in (
            (Path(folder) / "saccade" / "v1", STUBS, "*.py*"),
            (Path(folder), DESCRIPTORS, "*.binpb"),
        ):
            names = differing(fresh, committed, pattern)
            stale += names
            for name in () if check else names:
                write(fresh / name, committed / name)
    if check and stale:
        print(f"these differ from proto/, run `make proto`: {', '.join(stale)}", file=sys.stderr)
        return 1
    print("proto: up to date" if check else f"proto: {len(stale)} files written")
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
    for name in PROTOCOLS:
        output = f"--descriptor_set_out={folder / name}.binpb"
        files = sorted(str(path.relative_to(PROTO)) for path in PROTO.glob(f"{name}/*.proto"))
        compile_protos(MESSAGES, [output, "--include_imports"], files)


def compile_protos(tools: Path, outputs: list[str], sources: list[str]) -> None:
    """Runs one protoc over `sources`."""
    protoc = [str(tools / "python"), "-W", "ignore", "-m", "grpc_tools.protoc"]
    subprocess.run([*protoc, f"--proto_path={PROTO}", *outputs, *sources], check=True)


def differing(fresh: Path, committed: Path, pattern: str) -> list[str]:
    """Names of files of that pattern that are not the same in both folders."""
    names = {path.name for folder in (fresh, committed) for path in folder.glob(pattern)}
    same, _, _ = filecmp.cmpfiles(fresh, committed, names, shallow=False)
    return sorted(names - set(same))


def write(source: Path, target: Path) -> None:
    """Copies a fresh file over the committed one, or removes one without a source."""
    if source.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(source.read_bytes())
    else:
        target.unlink()


if __name__ == "__main__":
    sys.exit(main())
