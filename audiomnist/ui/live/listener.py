"""A visitor's microphone stream on its way to digits, between two threads.

`Listener.receive` runs in WebRTC's thread and calls nothing of Streamlit; the page
takes what was heard from a queue, in its own time.
"""

import queue
import threading
from collections import deque
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from audiomnist.audio.signal import Audio
from audiomnist.errors import AudioMnistError
from audiomnist.features.speech import Speech
from audiomnist.recognition.recognizer import Prediction, Recognizer
from audiomnist.recognition.streaming import StreamingRecognizer

if TYPE_CHECKING:
    import av

MAX_HEARD = 100
"""Answers that are kept; older ones are forgotten."""

_KEPT = 6.0
"""Seconds of the stream that are kept, for the wave of a word that just ended."""


class Heard(NamedTuple):
    """A word of the stream.

    Parameters
    ----------
    prediction
        What it was taken for; start and end in seconds of the stream.
    audio
        The word with its surroundings.
    speech
        Where the word is in `audio`.
    """

    prediction: Prediction
    audio: Audio
    speech: Speech


class Listener:
    """Hears one visitor's stream and keeps the answers until the page takes them.

    Parameters
    ----------
    recognizer
        The model that hears.
    """

    def __init__(self, recognizer: Recognizer) -> None:
        self.recognizer = recognizer
        self.heard: deque[Heard] = deque(maxlen=MAX_HEARD)
        """Words that the page has taken, oldest first."""
        self.error = ""
        """Why the last frames could not be understood, or ""."""
        self._lock = threading.Lock()  # the page ends a stream in its own thread
        self._words: queue.SimpleQueue[Heard] = queue.SimpleQueue()
        self._streaming: StreamingRecognizer | None = None
        self._recent: deque[np.ndarray] = deque()
        self.n_kept = 0
        """Samples of the stream that are kept."""
        self._n_samples = 0

    @property
    def seconds(self) -> float:
        """Length of the stream so far."""
        if self._streaming is None:
            return 0.0
        return self._n_samples / self._streaming.sample_rate

    async def receive(self, frames: "Sequence[av.AudioFrame]") -> "list[av.AudioFrame]":
        """Hear the frames that arrived since the last call; send none back."""
        for frame in frames:
            samples = mono(frame.to_ndarray(), len(frame.layout.channels))
            self.hear(samples, frame.sample_rate)
        return []

    def hear(self, samples: np.ndarray, sample_rate: int) -> None:
        """Hear the next samples, float32 in [-1, 1], shape (n_samples,)."""
        with self._lock:
            if self._streaming is None or self._streaming.sample_rate != sample_rate:
                self._end()
                self._streaming = StreamingRecognizer(self.recognizer, sample_rate)
            try:
                predictions = self._streaming.feed(samples)
            except AudioMnistError as error:
                self.error = str(error)
                return
            self.error = ""
            self._keep(samples, sample_rate)
            self._put(self._streaming, predictions)

    def finish(self) -> None:
        """Hear the word that the end of the stream has cut short; then start anew."""
        with self._lock:
            self._end()

    def take(self) -> bool:
        """Move new words to `heard`; whether there were any."""
        is_new = False
        while not self._words.empty():
            self.heard.append(self._words.get())
            is_new = True
        return is_new

    def _end(self) -> None:
        """End the stream, if there is one, with its last word."""
        if self._streaming is not None:
            self._put(self._streaming, self._streaming.flush())
        self._streaming = None
        self._recent.clear()
        self.n_kept = self._n_samples = 0

    def _put(self, stream: StreamingRecognizer, words: Sequence[Prediction]) -> None:
        """Put words of the stream where the page finds them."""
        for word in words:
            self._words.put(self._cut(word, stream.sample_rate, stream.config.context))

    def _keep(self, samples: np.ndarray, sample_rate: int) -> None:
        """Keep the last seconds of the stream and no more."""
        self._recent.append(samples)
        self.n_kept += len(samples)
        self._n_samples += len(samples)
        while self.n_kept - len(self._recent[0]) > _KEPT * sample_rate:
            self.n_kept -= len(self._recent.popleft())

    def _cut(self, prediction: Prediction, sample_rate: int, context: float) -> Heard:
        """A word with as many seconds of the stream around it, where there are any."""
        assert prediction.start is not None and prediction.end is not None
        kept = np.concatenate(self._recent)
        begin = self._n_samples - len(kept)
        first = max(begin, round((prediction.start - context) * sample_rate))
        last = max(first, round((prediction.end + context) * sample_rate))
        audio = Audio(kept[first - begin : last - begin], sample_rate)
        offset = first / sample_rate
        speech = Speech(prediction.start - offset, prediction.end - offset)
        return Heard(prediction, audio, speech)


def mono(frame: np.ndarray, n_channels: int) -> np.ndarray:
    """Mix a frame's samples to one channel of float32 in [-1, 1].

    Parameters
    ----------
    frame
        As PyAV gives them: interleaved, shape (1, n_samples * n_channels), or planar,
        shape (n_channels, n_samples); whole numbers are scaled by their range.
    n_channels
        How many channels the frame has.
    """
    scale = 1.0
    if np.issubdtype(frame.dtype, np.integer):
        scale = -1.0 / float(np.iinfo(frame.dtype).min)
    if frame.shape[0] == 1 and n_channels > 1:
        channels = frame.reshape(-1, n_channels).T
    else:
        channels = frame
    return (channels.mean(axis=0) * scale).astype(np.float32)
