"""Refuses changes of the contracts that break a client or an artifact in use.

Compares the proto files of the working tree with those of the last commit in which they were
different, so that the check means something in a clean clone too. Allowed: everything new.
Refused: a field, enum value, method or message that is gone, renumbered, renamed, retyped, moved
into or out of a oneof, or made repeated or single.
"""

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from google.protobuf import descriptor_pb2

ROOT = Path(__file__).resolve().parent.parent
PROTOC = ROOT / ".venv-proto" / "messages" / "bin" / "python"


def main() -> int:
    """Runs the check; returns its exit code."""
    with tempfile.TemporaryDirectory() as folder:
        base = check_out_last_different(Path(folder))
        if base is None:
            print("proto: never changed since it was committed")
            return 0
        problems = breaking_changes(compile_set(Path(folder)), compile_set(ROOT / "proto"))
    for problem in problems:
        print(f"proto: {problem} (since {base[:9]})", file=sys.stderr)
    print(f"proto: {len(problems)} breaking changes since {base[:9]}")
    return 1 if problems else 0


def check_out_last_different(folder: Path) -> str | None:
    """Writes the proto files of the last commit that differs from the working tree.

    Returns:
        The commit, or None if every commit has the same files.
    """
    for commit in git("log", "--format=%H", "--", "proto/saccade").split():
        unchanged = subprocess.run(
            ["git", "diff", "--quiet", commit, "--", "proto/saccade"], cwd=ROOT, check=False
        )
        if unchanged.returncode:
            for name in git("ls-tree", "-r", "--name-only", commit, "proto/saccade").split():
                target = folder / Path(name).relative_to("proto")
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_text(git("show", f"{commit}:{name}"))
            return commit
    return None


def git(*arguments: str) -> str:
    """The output of a git command."""
    command = ["git", *arguments]
    return subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout


def compile_set(folder: Path) -> descriptor_pb2.FileDescriptorSet:
    """The descriptors of all `saccade` proto files below `folder`."""
    names = sorted(str(path.relative_to(folder)) for path in folder.glob("saccade/**/*.proto"))
    with tempfile.NamedTemporaryFile() as output:
        protoc = [str(PROTOC), "-W", "ignore", "-m", "grpc_tools.protoc"]
        arguments = [f"--proto_path={folder}", f"--descriptor_set_out={output.name}", *names]
        subprocess.run([*protoc, *arguments], check=True)
        return descriptor_pb2.FileDescriptorSet.FromString(output.read())


def breaking_changes(
    old: descriptor_pb2.FileDescriptorSet, new: descriptor_pb2.FileDescriptorSet
) -> list[str]:
    """One sentence for each thing that `old` has and `new` has not, or has differently."""
    before, after = dict(facts(old)), dict(facts(new))
    return [
        f"{name} was {value}, is {after.get(name, 'gone')}"
        for name, value in before.items()
        if after.get(name) != value
    ]


def facts(files: descriptor_pb2.FileDescriptorSet) -> Iterator[tuple[str, str]]:
    """Everything that others rely on, as (what, how it is)."""
    for file in files.file:
        for message in file.message_type:
            yield from message_facts(file.package, message)
        for enum in file.enum_type:
            yield from enum_facts(file.package, enum)
        for service in file.service:
            for method in service.method:
                streams = f"{method.client_streaming:d}{method.server_streaming:d}"
                shape = f"{method.input_type} -> {method.output_type}, streaming {streams}"
                yield f"method {file.package}.{service.name}.{method.name}", shape


def message_facts(scope: str, message: descriptor_pb2.DescriptorProto) -> Iterator[tuple[str, str]]:
    """The facts of a message and of those inside it."""
    name = f"{scope}.{message.name}"
    yield f"message {name}", "there"
    for field in message.field:
        kind = descriptor_pb2.FieldDescriptorProto.Type.Name(field.type)
        label = descriptor_pb2.FieldDescriptorProto.Label.Name(field.label)
        group = message.oneof_decl[field.oneof_index].name if field.HasField("oneof_index") else "-"
        shape = f"{field.name}, {label} {kind} {field.type_name}, oneof {group}"
        yield f"field {name} = {field.number}", shape
    for nested in message.nested_type:
        yield from message_facts(name, nested)
    for enum in message.enum_type:
        yield from enum_facts(name, enum)


def enum_facts(scope: str, enum: descriptor_pb2.EnumDescriptorProto) -> Iterator[tuple[str, str]]:
    """The facts of an enum."""
    for value in enum.value:
        yield f"enum value {scope}.{enum.name} = {value.number}", value.name


if __name__ == "__main__":
    sys.exit(main())
