from pathlib import Path

import pytest
import tensorflow as tf

from saccade_models.errors import ModelsError
from saccade_models.training.curves import Curves
from saccade_models.training.history import Epoch

EPOCHS = [
    Epoch(
        number=number, loss=0.5, accuracy=0.75, val_loss=0.25, val_accuracy=0.875,
        learning_rate=0.125, seconds=4.0,
    )
    for number in (1, 2)
]  # fmt: skip


def steps(file: Path) -> list[int]:
    """Of each event."""
    records = tf.data.TFRecordDataset(str(file))
    return [tf.compat.v1.Event.FromString(record.numpy()).step for record in records]


def read(folder: Path) -> dict[tuple[str, int], float]:
    """Value by tag and step, of all event files of a run; only what is drawn as a curve."""
    events = [
        tf.compat.v1.Event.FromString(record.numpy())
        for file in sorted(map(str, folder.iterdir()))
        for record in tf.data.TFRecordDataset(file)
    ]
    return {
        (value.tag, event.step): float(tf.make_ndarray(value.tensor))
        for event in events
        for value in event.summary.value
        if value.metadata.plugin_data.plugin_name == "scalars"
    }


def test_curves_can_be_seen_while_the_training_runs(tmp_path: Path) -> None:
    """After each epoch its figures are in the files, a run for each split."""
    curves = Curves(tmp_path)
    curves.begin(())

    for epoch in EPOCHS:
        curves.add(epoch)

    assert {
        ("epoch_loss", 1): 0.5, ("epoch_accuracy", 1): 0.75, ("epoch_learning_rate", 1): 0.125,
        ("epoch_loss", 2): 0.5, ("epoch_accuracy", 2): 0.75, ("epoch_learning_rate", 2): 0.125,
    } == read(tmp_path / "train")  # fmt: skip
    assert {
        ("epoch_loss", 1): 0.25, ("epoch_accuracy", 1): 0.875,
        ("epoch_loss", 2): 0.25, ("epoch_accuracy", 2): 0.875,
    } == read(tmp_path / "validation")  # fmt: skip
    curves.close()


def test_a_training_that_goes_on_draws_its_epochs_once(tmp_path: Path) -> None:
    """What a run that was stopped had drawn is drawn anew, so that no curve turns back."""
    for done in ((), EPOCHS[:1]):
        curves = Curves(tmp_path)
        curves.begin(tuple(done))
        curves.add(EPOCHS[1])
        curves.close()

    (file,) = (tmp_path / "train").iterdir()

    assert [0, 1, 1, 1, 2, 2, 2] == steps(file)


def test_a_folder_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    """Before anything is computed."""
    (tmp_path / "file").write_text("")

    with pytest.raises(ModelsError) as caught:
        Curves(tmp_path / "file" / "curves").begin(())

    assert f"cannot write to {tmp_path}/file/curves: Not a directory" == str(caught.value)
