"""The live page's three ways in: record, upload, stream; and what came of it."""

import hashlib
import time
from urllib.parse import urlsplit

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from audiomnist.audio.formats import FORMAT_NAMES
from audiomnist.features.config import KINDS
from audiomnist.recognition.recognizer import Recognition, Recognizer
from audiomnist.settings import settings
from audiomnist.ui import answers, figures, layout, listen, state
from audiomnist.ui.live import microphone
from audiomnist.ui.live.listener import Listener

RECORD, UPLOAD, STREAM = "Record", "Upload", "Stream"
WAYS = (RECORD, UPLOAD, STREAM)
"""How sound gets here; recording works wherever a microphone does."""

_SAMPLE_RATE = 48_000
"""Rate of recordings in Hz: what microphones give, so that browsers change nothing."""

_UPLOADED = "live-uploaded"
"""Key of the container in which the answer to a file stands."""

# The browser refuses a file that is too large and tells only the visitor.
_HIDE_FORMER = (
    '<style>body:has([data-testid="stFileChips"] > div > div:last-child '
    f'[aria-invalid="true"]) .st-key-{_UPLOADED} {{display: none}}</style>'
)

_RECORDED = "live-recorded"
"""Key of the container in which the answer to a recording stands."""

# While a digit is recorded and sent, the page does not run, and there is no button
# that begins a recording.
_HIDE_WHILE_RECORDING = (
    '<style>body:not(:has([data-testid="stAudioInput"] [aria-label="Record"])) '
    f".st-key-{_RECORDED} {{display: none}}</style>"
)

_LOCAL_HOSTS = {"localhost", "127.0.0.1", "::1"}

_POLL = 0.4
"""Seconds between two looks at what the stream brought."""

_PATIENCE = 8.0
"""Seconds after which a connection that does not come deserves an explanation."""


def record(recognizer: Recognizer) -> None:
    """Record one digit in the browser and recognize it."""
    _explain_insecure_address()
    problem = microphone.find_problem()
    if problem and st.session_state.get(state.LIVE_RECORDING) is None:
        microphone.explain(problem)
        return
    recording = st.audio_input(
        "Press the microphone, say one digit from zero to nine, and press again",
        sample_rate=_SAMPLE_RATE,
        key=state.LIVE_RECORDING,
        help="It is processed on this server. The foot of the page says how long it is "
        "kept.",
    )
    if recording is None:
        layout.empty(
            "Nothing recorded yet. Keep a hand’s breadth from the microphone and leave "
            "half a second of quiet before and after the digit."
        )
        return
    content = recording.getvalue()
    st.html(_HIDE_WHILE_RECORDING)
    with _place(content, recognizer), st.container(key=_RECORDED):
        show_answer(recognizer, recognizer.recognize_bytes(content))


def upload(recognizer: Recognizer) -> None:
    """Take a sound file and recognize the digit in it."""
    # Of any type: what the browser refuses, the page does not know of, and would go
    # on to show the answer to the file before.
    file = st.file_uploader("A recording of one spoken digit", key=state.LIVE_UPLOAD)
    st.caption(f"Formats: {FORMAT_NAMES}, of any usual sample rate, up to a minute.")
    if file is None:
        layout.empty("Choose a sound file: a few seconds in which one digit is said.")
        return
    content = file.getvalue()
    st.html(_HIDE_FORMER)
    with _place(content, recognizer), st.container(key=_UPLOADED):
        recognition = recognizer.recognize_bytes(content, file.name)
        listen.play(recognition.audio, alt=f"Your file {file.name}")
        show_answer(recognizer, recognition)


def _place(content: bytes, recognizer: Recognizer) -> DeltaGenerator:
    """Where a model's answer to a sound stands.

    Streamlit leaves what stood in a place until something else comes. The answer to
    another sound, or of another model, has to go before that: its place is emptied
    while the model works.
    """
    answered = (recognizer.model.name, hashlib.sha256(content).digest())
    if st.session_state.get(state.LIVE_ANSWERED) == answered:
        return st.container()
    place = st.empty()
    st.session_state[state.LIVE_ANSWERED] = answered
    return place.container()


def stream(recognizer: Recognizer) -> None:
    """Recognize digit after digit while the visitor speaks."""
    from streamlit_webrtc import WebRtcMode, webrtc_streamer
    from streamlit_webrtc.webrtc import SignallingTimeoutError

    _explain_insecure_address()
    problem = microphone.find_problem()
    listener = _listener(recognizer)
    if problem:
        _end(listener)
        microphone.explain(problem)
        if listener.last:
            _show_words(listener, listener.last)
        return
    try:
        context = webrtc_streamer(
            key=state.LIVE_STREAM,
            mode=WebRtcMode.SENDONLY,
            rtc_configuration={"iceServers": list(settings().ice_servers)},
            media_stream_constraints={"audio": microphone.UNCHANGED, "video": False},
            queued_audio_frames_callback=listener.receive,
            media_toggle_controls=False,
            translations={
                "start": "Start listening",
                "stop": "Stop",
                "select_device": "Choose microphone",
            },
        )
    except SignallingTimeoutError:
        _explain_no_connection()
        return
    if not context.state.playing:
        _end(listener)
    if context.state.playing:
        st.session_state.pop(state.LIVE_CALLED, None)
        st.fragment(_follow, run_every=_POLL)(listener)
    elif context.state.signalling:
        st.session_state.setdefault(state.LIVE_CALLED, time.monotonic())
        st.fragment(_wait, run_every=1.0)()
    else:
        st.session_state.pop(state.LIVE_CALLED, None)
        st.caption(
            "Your browser will ask for the microphone. If streaming cannot connect, "
            "choose Record, which works over the connection of this page. Should "
            "“NotAllowedError” appear, the microphone was not allowed: press Start "
            "listening again and allow it, or allow it beside the page’s address."
        )
        if not listener.digits:
            layout.empty(
                "Nothing recognized yet. Press Start listening, allow the microphone, "
                "and say digits with a short pause between them."
            )
    if listener.last:
        _show_words(listener, listener.last)


def _listener(recognizer: Recognizer) -> Listener:
    """This visitor's listener; another model begins a new one."""
    listener = st.session_state.get(state.LIVE_LISTENER)
    if listener is None or listener.recognizer is not recognizer:
        listener = Listener(recognizer)
        st.session_state[state.LIVE_LISTENER] = listener
    return listener


def _end(listener: Listener) -> None:
    """Take the last word of a stream that has ended."""
    listener.finish()
    listener.take()


def _follow(listener: Listener) -> None:
    """Say how the stream fares; run the page again when a word has come."""
    if listener.take():
        st.rerun()
    st.markdown(
        f":red[:material/graphic_eq:] **Listening** · {listener.seconds:.0f} s · "
        "say any digit"
    )
    if listener.error:
        layout.show_error(listener.error)


def _wait() -> None:
    """While the browser and the server look for a way to each other."""
    waited = time.monotonic() - st.session_state.get(
        state.LIVE_CALLED, time.monotonic()
    )
    if waited < _PATIENCE:
        st.markdown("Connecting to your microphone …")
    else:
        _explain_no_connection()


def _show_words(listener: Listener, last: Recognition) -> None:
    """Show the digits so far, and the last word in detail."""
    digits = " ".join("·" if digit is None else str(digit) for digit in listener.digits)
    st.markdown(f"## Recognized: :primary[{digits}]")
    st.caption("A dot stands for a word to which the model gave no answer.")
    st.button(
        "Clear the list",
        icon=":material/backspace:",
        help="Forgets these digits and the sound of the last word.",
        on_click=listener.clear,
    )
    st.markdown("### The last word")
    show_answer(listener.recognizer, last)


def show_answer(recognizer: Recognizer, recognition: Recognition) -> None:
    """Show the digit, the wave, what the model was given, and the probabilities."""
    model, prediction = recognizer.model, recognition.prediction
    wave = listen.wave(recognition.audio, prediction.speech)
    pictures = []
    if prediction.probabilities is not None:
        pictures = [
            (
                "What the model saw",
                answers.features(recognition, model.features),
                KINDS[model.features.kind].sentence,
            ),
            (
                "How likely each digit is",
                answers.bars(prediction, model.calibration),
                None,
            ),
        ]
    left, right = st.columns(2, gap="large", vertical_alignment="center")
    with left:
        answers.show_digit(prediction)
    with right:
        figures.show(wave)
    if recognition.quality.advice:
        lines = "\n".join(f"- {sentence}" for sentence in recognition.quality.advice)
        st.info(f"**Microphone advice**\n{lines}", icon=":material/tune:")
    for column, (title, picture, help) in zip(
        st.columns(2, gap="large"), pictures, strict=False
    ):
        with column:
            st.markdown(f"**{title}**", help=help)
            figures.show(picture)
    if prediction.probabilities is not None:
        st.markdown(f"**Why?** {answers.explain(prediction)}")
        wrong = "Was it wrong?" if prediction.digit is not None else "Was it a digit?"
        st.markdown(
            f"**{wrong}** {answers.reach(model.features)} A noisy or clipped "
            "recording can look like another word. The Evaluate page shows which "
            "digits the model confuses, with clips to play."
        )
        layout.link("evaluate", "See what it confuses", model=model.name)


def _explain_insecure_address() -> None:
    """Browsers give the microphone to safe addresses only: say so beforehand."""
    address = urlsplit(st.context.url or "")
    if address.scheme == "http" and address.hostname not in _LOCAL_HOSTS:
        st.warning(
            "Browsers allow the microphone only on https pages and on localhost, and "
            "this page is neither. Upload a file, or ask for an https address.",
            icon=":material/lock:",
        )


def _explain_no_connection() -> None:
    """Say why a stream does not come, and what works instead."""
    st.warning(
        "The stream cannot connect: a firewall, a VPN or a company network between "
        "your browser and this server blocks WebRTC, or no STUN or TURN server is set "
        "(AUDIOMNIST_ICE_SERVERS). Press Stop and choose Record instead: it works over "
        "the connection of this page.",
        icon=":material/signal_disconnected:",
    )
