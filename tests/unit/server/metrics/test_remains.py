"""What dead workers leave: their counters go on counting, each once."""

from pathlib import Path

from prometheus_client import CollectorRegistry

from saccade_server.metrics import Metrics
from saccade_server.metrics.remains import bury, exhume, worker_name, write_told
from saccade_server.metrics.sums import Families, add_up, to_plain

DEAD, OTHER, LIVING = worker_name(0, 100), worker_name(1, 101), worker_name(0, 102)


def told(requests: int, version: str = "1") -> Families:
    """What a worker tells that has answered some requests and has one in its hands."""
    metrics = Metrics(CollectorRegistry())
    metrics.requests.labels("saccade", "Classify", "digits", "OK").inc(requests)
    metrics.images.labels("digits", version, "ok").inc(requests)
    for _ in range(requests):
        metrics.request_seconds.labels("saccade", "Classify", "digits").observe(0.001)
    metrics.model_info.labels("digits", version, "litert").set(1)
    metrics.inflight_requests.labels().inc()
    return to_plain(metrics.registry.collect())


def sums(folder: Path, living: dict[str, Families]) -> dict[str, float]:
    """What a scrape shows, by the sample's name; buckets and other series are added up."""
    shown: dict[str, float] = {}
    for family in add_up(exhume(folder, living)):
        for name, _, value in family["samples"]:
            shown[name] = shown.get(name, 0.0) + value
    return shown


def test_the_dead_are_counted_before_they_are_buried(tmp_path: Path) -> None:
    """Their parent may not have noticed yet."""
    write_told(tmp_path, DEAD, told(3))

    assert 5 == sums(tmp_path, {OTHER: told(2)})["saccade_requests_total"]


def test_the_dead_are_counted_when_they_are_buried(tmp_path: Path) -> None:
    """Requests and the distribution of their times."""
    write_told(tmp_path, DEAD, told(3))
    bury(tmp_path, DEAD)
    shown = sums(tmp_path, {OTHER: told(2), LIVING: told(1)})

    assert (6, 6) == (shown["saccade_requests_total"], shown["saccade_request_seconds_count"])


def test_several_dead_of_one_place_are_added_up(tmp_path: Path) -> None:
    """A worker that keeps dying leaves one file."""
    for pid in range(5):
        write_told(tmp_path, worker_name(0, pid), told(2))
        bury(tmp_path, worker_name(0, pid))

    assert (10, ["gone.json"]) == (
        sums(tmp_path, {OTHER: told(0)})["saccade_requests_total"],
        [path.name for path in tmp_path.iterdir()],
    )


def test_the_living_are_counted_by_what_they_say(tmp_path: Path) -> None:
    """What they have written down is older."""
    write_told(tmp_path, LIVING, told(3))

    assert 4 == sums(tmp_path, {LIVING: told(4)})["saccade_requests_total"]


def test_who_dies_between_answer_and_sum_is_counted_once(tmp_path: Path) -> None:
    """It has answered, and is buried by now."""
    write_told(tmp_path, DEAD, told(3))
    bury(tmp_path, DEAD)

    assert 3 == sums(tmp_path, {DEAD: told(3)})["saccade_requests_total"]


def test_who_is_buried_with_its_file_still_there_is_counted_once(tmp_path: Path) -> None:
    """The parent adds up first and removes afterwards."""
    write_told(tmp_path, DEAD, told(3))
    bury(tmp_path, DEAD)
    write_told(tmp_path, DEAD, told(3))

    assert 3 == sums(tmp_path, {OTHER: told(0)})["saccade_requests_total"]


def test_what_the_dead_had_in_hand_is_gone(tmp_path: Path) -> None:
    """Gauges tell the present."""
    write_told(tmp_path, DEAD, told(3))

    assert 1 == sums(tmp_path, {OTHER: told(2)})["saccade_inflight_requests"]


def test_series_of_versions_that_are_gone_do_not_come_back(tmp_path: Path) -> None:
    """The living have forgotten them, so they would stay for ever."""
    write_told(tmp_path, DEAD, told(3, version="1"))
    shown = sums(tmp_path, {OTHER: told(2, version="2")})

    assert (2, 5) == (shown["saccade_images_total"], shown["saccade_requests_total"])


def test_who_has_told_nothing_leaves_nothing(tmp_path: Path) -> None:
    """It died before it was asked."""
    bury(tmp_path, DEAD)

    assert [] == list(tmp_path.iterdir())
