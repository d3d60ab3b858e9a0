"""Reads the Dockerfile and .dockerignore, as far as the tests need to."""

import json
import re
import shlex
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[3]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """A build stage with the instructions of those that it starts from, in order."""

    name: str
    instructions: tuple[tuple[str, str], ...]

    def all(self, keyword: str) -> list[str]:
        """What follows each `keyword`."""
        return [text for name, text in self.instructions if name == keyword]

    def last(self, keyword: str) -> str:
        """What follows the last `keyword`: the one that counts."""
        return self.all(keyword)[-1]

    def command(self, keyword: str) -> list[str]:
        """The words of an instruction in exec form."""
        words: list[str] = json.loads(self.last(keyword))
        return words

    def pairs(self, keyword: str) -> dict[str, str]:
        """The names and values of ENV or LABEL."""
        words = [word for text in self.all(keyword) for word in shlex.split(text)]
        return dict(word.split("=", 1) for word in words)

    @property
    def copied(self) -> list[str]:
        """What COPY takes from the build context."""
        sources = []
        for text in self.all("COPY"):
            words = text.split()
            if not words[0].startswith("--from"):
                sources += words[:-1]
        return sources


def read_stages() -> list[Stage]:
    """The stages of the Dockerfile, in order."""
    stages: dict[str, Stage] = {}
    name, instructions = "", []
    for keyword, text in _instructions((ROOT / "Dockerfile").read_text()):
        if keyword == "FROM":
            base, _, name = text.split()
            instructions = list(stages[base].instructions) if base in stages else []
        instructions.append((keyword, text))
        stages[name] = Stage(name=name, instructions=tuple(instructions))
    return [stage for name, stage in stages.items() if name]


def is_ignored(path: str) -> bool:
    """Whether .dockerignore keeps `path`, relative to the root, out of the build.

    The last pattern that matches the path or one of its folders decides.
    """
    ignored = False
    prefixes = [path, *map(str, Path(path).parents)]
    for line in (ROOT / ".dockerignore").read_text().splitlines():
        if line and not line.startswith("#"):
            pattern = re.compile(_regex(line.removeprefix("!")))
            if any(pattern.fullmatch(prefix) for prefix in prefixes if prefix != "."):
                ignored = not line.startswith("!")
    return ignored


def _instructions(text: str) -> list[tuple[str, str]]:
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    joined = re.sub(r"\s*\\\n\s*", " ", "\n".join(lines))
    pairs = [line.split(maxsplit=1) for line in joined.splitlines()]
    return [(keyword, rest) for keyword, rest in pairs]


def _regex(pattern: str) -> str:
    regex = re.escape(pattern.rstrip("/"))
    for glob, meaning in ((r"\*\*/", "(?:.*/)?"), (r"\*", "[^/]*"), (r"\?", "[^/]")):
        regex = regex.replace(glob, meaning)
    return regex
