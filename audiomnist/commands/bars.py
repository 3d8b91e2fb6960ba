"""Progress bars, on stderr and only where that is a terminal.

Owns how progress looks; the lines that go to stdout are the same with and without
a bar.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tqdm import tqdm

    from audiomnist.storage import OnProgress, Progress


@contextmanager
def stage_bars() -> "Iterator[OnProgress]":
    """Give a function that shows progress, in a bar for each stage of the work."""
    from tqdm import tqdm

    stage, bar = "", tqdm(disable=True)
    with ExitStack() as shown:

        def show(progress: "Progress") -> None:
            nonlocal stage, bar
            if progress.stage != stage:
                shown.close()  # the bar of the last stage
                stage, bar = progress.stage, shown.enter_context(_bar(progress))
            bar.total = progress.total
            bar.update(progress.done - bar.n)

        yield show


def _bar(progress: "Progress") -> "tqdm":
    """An empty bar for the stage."""
    from tqdm import tqdm

    return tqdm(
        desc=progress.stage.capitalize(),
        total=progress.total,
        unit="B" if progress.is_in_bytes else "clip",
        unit_scale=progress.is_in_bytes,
        disable=None,  # unless stderr is a terminal
    )


@contextmanager
def epoch_bar(n_epochs: int, n_done: int = 0) -> Iterator[Callable[[int, str], None]]:
    """Give a function that prints a line about an epoch and moves a bar below it.

    Parameters
    ----------
    n_epochs
        Epochs at most.
    n_done
        Epochs that an earlier call of the command has done.
    """
    from tqdm import tqdm

    with tqdm(
        desc="Training", initial=n_done, total=n_epochs, unit="epoch", disable=None
    ) as bar:

        def end_epoch(epoch: int, line: str) -> None:
            with tqdm.external_write_mode():  # not in the middle of the bar
                print(line, flush=True)
            bar.update(epoch - bar.n)
            if epoch == n_epochs:
                bar.close()  # what follows is no part of the epochs' time

        yield end_epoch
