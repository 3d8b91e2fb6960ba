"""How much sound one recording may hold, and how much may be missing from it.

Owns the limits and the errors for what is beyond them. They are checked before and
while a file is decoded, so that a small file cannot fill the memory.
"""

from dataclasses import dataclass

from audiomnist.audio.signal import MAX_SAMPLE_RATE, MIN_SAMPLE_RATE
from audiomnist.errors import AudioError

MAX_DURATION = 60.0
"""Longest recording of one digit that is accepted, in seconds."""

MAX_CHANNELS = 16
"""Most channels that are mixed to one; microphones have one or two."""

MAX_VALUES = 40_000_000
"""Most samples of all channels that are decoded: 160 MB, a minute of much."""

FORGIVEN = 0.05
"""Seconds by which a header may promise more than is there: not a word is lost."""


@dataclass(frozen=True)
class Limits:
    """What a recording may be.

    Parameters
    ----------
    name
        What messages call the recording.
    max_duration
        The longest that is accepted, in seconds.
    """

    name: str
    max_duration: float = MAX_DURATION

    def check_format(self, n_channels: int, sample_rate: int) -> None:
        """Refuse rates and channels that no microphone has.

        Raises
        ------
        AudioError
            If the rate is out of range or there are no or too many channels.
        """
        if not MIN_SAMPLE_RATE <= sample_rate <= MAX_SAMPLE_RATE:
            raise AudioError(
                f"{self.name}: the sample rate is {sample_rate} Hz; expected "
                f"{MIN_SAMPLE_RATE} to {MAX_SAMPLE_RATE} Hz. Record it again."
            )
        if not 1 <= n_channels <= MAX_CHANNELS:
            raise AudioError(
                f"{self.name} has {n_channels} channels; expected at most "
                f"{MAX_CHANNELS}. Mix it to one or two."
            )

    def check_length(
        self,
        n_frames: int,
        n_channels: int,
        sample_rate: int,
        *,
        is_part: bool = False,
    ) -> None:
        """Refuse more sound than one digit can be, or than fits into memory.

        Parameters
        ----------
        n_frames
            Samples of each channel: all, or those decoded so far.
        n_channels, sample_rate
            As `check_format` accepts them.
        is_part
            Whether more may follow.

        Raises
        ------
        AudioError
            If it is too long, or too many samples.
        """
        duration = n_frames / sample_rate
        if duration > self.max_duration:
            length, longest = f"{duration:.0f} s", f"{self.max_duration:.0f} s"
            if is_part or length == longest:
                length = f"over {longest}"
            raise AudioError(
                f"{self.name} lasts {length}; expected one spoken digit, at most "
                f"{longest}. Cut out the part with the digit."
            )
        if n_frames * n_channels > MAX_VALUES:
            raise AudioError(
                f"{self.name} holds {n_channels} channels at {sample_rate} Hz, more "
                f"than {MAX_VALUES:,} samples in all. Mix it to one channel or convert "
                "it to 48000 Hz."
            )

    def check_whole(self, promised: float, there: float, forgiven: float) -> None:
        """Refuse a recording of which a part is missing.

        Parameters
        ----------
        promised, there
            Seconds of sound that the file's header promises, and that it holds.
        forgiven
            Seconds that may be missing.

        Raises
        ------
        AudioError
            If more is missing.
        """
        if promised - there > forgiven:
            raise AudioError(
                f"{self.name} is cut off: {promised:.2f} s of sound are promised and "
                f"{there:.2f} s are there. Copy or record it again."
            )
