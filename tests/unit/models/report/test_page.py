import json
import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import pytest

from saccade_models.report import Report, write_report
from saccade_models.report.page import MAX_GRID_CLASSES, MAX_ROWS, build_page

HOSTILE = "<script>alert('x')</script>\"'><img src=http://evil.example/a onerror=alert(1)>"
VOID = {"meta", "img", "br", "line", "rect", "circle", "polyline"}
MakeReport = Callable[..., Report]


class Reader(HTMLParser):
    """What a browser would make of a page: tags with attributes, and the text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.unbalanced: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.unbalanced.append(tag)

    def handle_data(self, data: str) -> None:
        self.text += data

    def count(self, tag: str) -> int:
        return sum(one == tag for one, _ in self.tags)


def percent(fraction: float) -> str:
    return f"{fraction * 100:.2f} %"


def plain(text: str) -> str:
    return " ".join(text.split())


@pytest.fixture(scope="module")
def report(make_report: MakeReport) -> Report:
    """Of three classes."""
    return make_report(("rose", "tulip", "daisy"))


@pytest.fixture(scope="module")
def page(report: Report) -> Reader:
    """As a browser reads it."""
    return Reader(build_page(report))


@pytest.mark.parametrize("classes", [2, 10, 20, 120])
def test_every_tag_is_closed(make_report: MakeReport, classes: int) -> None:
    """With few classes and with many."""
    page = Reader(build_page(make_report(tuple(map(str, range(classes))))))

    assert ([], []) == (page.open, page.unbalanced)


@pytest.mark.parametrize("labels", [("rose", "tulip"), (HOSTILE, "tulip"), tuple("abc" * 20)])
def test_the_page_needs_nothing_from_elsewhere(
    make_report: MakeReport, labels: tuple[str, ...]
) -> None:
    """Pictures are data; there is no script, no link, and the browser is told to fetch nothing."""
    page = Reader(build_page(make_report(labels)))
    addresses = [
        value or ""
        for _, attributes in page.tags
        for name, value in attributes.items()
        if name in ("src", "href", "srcset", "data", "action", "poster", "xlink:href")
    ]
    policy = next(attrs["content"] for tag, attrs in page.tags if "http-equiv" in attrs)

    assert (True, 0, 0, True) == (
        all(address.startswith("data:image/") for address in addresses),
        page.count("script"),
        page.count("link"),
        (policy or "").startswith("default-src 'none'"),
    )


def test_the_style_fetches_nothing(make_report: MakeReport) -> None:
    """Neither fonts nor pictures nor other sheets."""
    (style,) = re.findall(r"<style>(.*?)</style>", build_page(make_report(("a", "b"))), re.S)

    assert [] == re.findall(r"url\(|@import|https?:", style)


def test_text_of_strangers_stays_text(make_report: MakeReport) -> None:
    """A class label, and a command with a folder's name in it, are shown and nothing more."""
    calm = Reader(build_page(make_report(("rose", "tulip"), command="x")))
    page = Reader(build_page(make_report((HOSTILE, "tulip"), command=HOSTILE)))

    assert ([tag for tag, _ in calm.tags], True, False) == (
        [tag for tag, _ in page.tags],
        HOSTILE in page.text,
        any(name.startswith("on") for _, attributes in page.tags for name in attributes),
    )


def test_the_page_has_the_figures_of_the_json(tmp_path: Path, report: Report) -> None:
    """Both are written from one evaluation."""
    write_report(tmp_path, report)
    document = json.loads((tmp_path / "report.json").read_text())
    text = plain(Reader((tmp_path / "report.html").read_text()).text)
    low, high = document["accuracy_interval_95"]
    calibration = document["calibration"]

    for expected in [
        f"Accuracy{percent(document['accuracy'])}",
        f"{document['correct']} of 200 right; 95 % interval {percent(low)} to {percent(high)}",
        f"Calibration error{percent(calibration['served']['ece'])}"
        f"{percent(calibration['unscaled']['ece'])} at temperature 1",
        f"Temperature{document['temperature']['value']:.3f}",
        f"Cross-entropy{document['loss']:.4f}",
    ]:
        assert expected in text


def test_each_class_has_its_row(report: Report, page: Reader) -> None:
    """Precision, recall, F1 and images."""
    one = report.evaluation.served.by_class()[1]
    parts = [f"{part * 100:.1f} %" for part in (one.precision, one.recall, one.f1) if part]

    assert "tulip" + "".join(parts) + str(one.support) in plain(page.text)


def test_the_matrix_has_its_counts(report: Report, page: Reader) -> None:
    """Row by row."""
    (row, *_) = report.evaluation.served.confusion().tolist()

    assert "rose" + "".join(map(str, row)) in plain(page.text)


def test_many_classes_make_the_matrix_a_picture(make_report: MakeReport) -> None:
    """Its numbers could not be read."""
    pages = [
        Reader(build_page(make_report(tuple(f"class {n}" for n in range(classes)))))
        for classes in (MAX_GRID_CLASSES, MAX_GRID_CLASSES + 1)
    ]
    kinds = [[attrs.get("class") for _, attrs in page.tags] for page in pages]

    assert ([True, False], [False, True]) == (
        ["matrix" in kind for kind in kinds],
        ["map" in kind for kind in kinds],
    )


def test_very_many_classes_show_the_worst(make_report: MakeReport) -> None:
    """The page stays small; the JSON has all."""
    text = plain(Reader(build_page(make_report(tuple(map(str, range(300))), samples=900))).text)

    assert f"The {MAX_ROWS} worst of 300" in text


def test_every_mistake_is_shown(report: Report, page: Reader) -> None:
    """As a picture with the truth, the answer and their probabilities."""
    first = report.mistakes[0]
    caption = (
        f"{report.class_labels[first.predicted]} {first.confidence * 100:.1f} %"
        f"truth {report.class_labels[first.truth]} {first.of_truth * 100:.1f} %no. {first.position}"
    )

    assert (len(report.mistakes), True) == (page.count("img"), caption in plain(page.text))


def test_no_mistake_is_said_to_be_none(make_report: MakeReport) -> None:
    """One class only can be nothing else."""
    assert "Every answer was right." in build_page(make_report(("only",), samples=5))


def test_without_a_history_there_are_no_curves(make_report: MakeReport) -> None:
    """Only the two reliability diagrams."""
    pages = [Reader(build_page(make_report(("a", "b"), epochs=epochs))) for epochs in (0, 1, 3)]

    assert [2, 4, 4] == [page.count("svg") for page in pages]


def test_a_page_of_large_photographs_stays_small(make_report: MakeReport) -> None:
    """Pictures are shrunk: below a megabyte, though noise is the worst there is."""
    page = build_page(make_report(("cat", "dog"), samples=120, shape=(400, 600, 3)))

    assert len(page) < 1_000_000
