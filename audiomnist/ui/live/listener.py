"""A visitor's microphone stream on its way to digits, between two threads.

`Listener.receive` runs in WebRTC's thread and calls nothing of Streamlit; the page
takes the recognized words from a queue, in its own time.
"""

import queue
import threading
from collections import deque
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from audiomnist.errors import AudioMnistError
from audiomnist.recognition.recognizer import Recognition, Recognizer
from audiomnist.recognition.streaming import StreamingRecognizer

if TYPE_CHECKING:
    import av

MAX_DIGITS = 100
"""Answers that are kept; older ones are forgotten."""


class Listener:
    """Recognizes one visitor's stream and keeps the words until the page takes them.

    Parameters
    ----------
    recognizer
        The model, ready to recognize.
    """

    def __init__(self, recognizer: Recognizer) -> None:
        self.recognizer = recognizer
        self.digits: deque[int | None] = deque(maxlen=MAX_DIGITS)
        """Answers to the words that the page has taken, oldest first."""
        self.last: Recognition | None = None
        """The last of these words; the sound of the others is not kept."""
        self.error = ""
        """Why the last frames could not be processed, or ""."""
        self._is_closed = False
        self._lock = threading.Lock()  # the page ends a stream in its own thread
        self._words: queue.SimpleQueue[Recognition] = queue.SimpleQueue()
        self._streaming: StreamingRecognizer | None = None

    @property
    def seconds(self) -> float:
        """Length of the stream so far."""
        return 0.0 if self._streaming is None else self._streaming.duration

    async def receive(self, frames: "Sequence[av.AudioFrame]") -> "list[av.AudioFrame]":
        """Process the frames that arrived since the last call; send none back."""
        for frame in frames:
            samples = mono(frame.to_ndarray(), len(frame.layout.channels))
            self.feed(samples, frame.sample_rate)
        return []

    def feed(self, samples: np.ndarray, sample_rate: int) -> None:
        """Process the next samples, float32 in [-1, 1], shape (n_samples,)."""
        with self._lock:
            if self._is_closed:
                return
            if self._streaming is None or self._streaming.sample_rate != sample_rate:
                self._end()
                self._streaming = StreamingRecognizer(self.recognizer, sample_rate)
            try:
                words = self._streaming.feed(samples)
            except AudioMnistError as error:
                self.error = str(error)
                return
            self.error = ""
            self._put(words)

    def finish(self) -> None:
        """Recognize the word that the stream's end has cut short; then start anew."""
        with self._lock:
            self._end()

    def take(self) -> bool:
        """Take the words that are new, oldest first; whether there were any."""
        is_new = False
        while not self._words.empty():
            self.last = self._words.get()
            self.digits.append(self.last.prediction.digit)
            is_new = True
        return is_new

    def clear(self) -> None:
        """Forget the words so far; the stream goes on."""
        self.take()
        self.digits.clear()
        self.last = None

    def close(self) -> None:
        """Forget all words and sound for good; frames that are late are dropped."""
        with self._lock:
            self._is_closed = True
            self._streaming = None
        self.clear()

    def _end(self) -> None:
        """End the stream, if there is one, with its last word."""
        if self._streaming is not None:
            self._put(self._streaming.flush())
        self._streaming = None

    def _put(self, words: Sequence[Recognition]) -> None:
        """Put words of the stream where the page finds them."""
        for word in words:
            self._words.put(word)


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
