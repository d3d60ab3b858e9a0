"""The check that keeps the contracts compatible."""

import pytest
from check_compatibility import breaking_changes
from google.protobuf import descriptor_pb2, text_format

BASE = """
file {
  name: "a.proto" package: "a"
  message_type {
    name: "M"
    field { name: "x" number: 1 type: TYPE_INT32 label: LABEL_OPTIONAL }
    field { name: "y" number: 2 type: TYPE_STRING label: LABEL_OPTIONAL }
  }
  enum_type { name: "E" value { name: "ZERO" number: 0 } value { name: "ONE" number: 1 } }
  service { name: "S" method { name: "Do" input_type: ".a.M" output_type: ".a.M" } }
}
"""


def parse(text: str) -> descriptor_pb2.FileDescriptorSet:
    return text_format.Parse(text, descriptor_pb2.FileDescriptorSet())


def test_the_same_contract_breaks_nothing() -> None:
    """A contract is compatible with itself."""
    assert [] == breaking_changes(parse(BASE), parse(BASE))


def test_something_new_breaks_nothing() -> None:
    """Fields, values, methods and messages may be added."""
    new = parse(BASE)
    new.file[0].message_type[0].field.add(name="z", number=3)
    new.file[0].message_type.add(name="N")
    new.file[0].enum_type[0].value.add(name="TWO", number=2)
    new.file[0].service[0].method.add(name="More", input_type=".a.M", output_type=".a.M")

    assert [] == breaking_changes(parse(BASE), new)


@pytest.mark.parametrize(
    ("before", "after", "subject"),
    [
        ('name: "x" number: 1', 'name: "x" number: 7', "field a.M = 1"),
        ('name: "x" number: 1', 'name: "w" number: 1', "field a.M = 1"),
        ("TYPE_INT32", "TYPE_INT64", "field a.M = 1"),
        ("TYPE_STRING label: LABEL_OPTIONAL", "TYPE_STRING label: LABEL_REPEATED", "field a.M = 2"),
        ('value { name: "ONE" number: 1 }', "", "enum value a.E = 1"),
        ('name: "M"', 'name: "Other"', "message a.M"),
        ('output_type: ".a.M"', 'output_type: ".a.M" server_streaming: true', "method a.S.Do"),
        ('name: "Do"', 'name: "Undo"', "method a.S.Do"),
    ],
)
def test_what_others_rely_on_may_not_change(before: str, after: str, subject: str) -> None:
    """Whatever goes, or changes its number, name, type or kind, is refused by name."""
    problems = breaking_changes(parse(BASE), parse(BASE.replace(before, after)))

    assert subject == problems[0].split(" was ")[0]
