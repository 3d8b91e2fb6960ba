"""The browser's microphone: the same sound for recorder and stream, and what ails it.

A small script in the page asks for the microphone as the stream does, and tells this
module when there is none. The stream's own frame asks by itself, with `UNCHANGED`.
"""

import streamlit as st

from audiomnist.ui import state

UNCHANGED = {
    "echoCancellation": False,
    "noiseSuppression": False,
    "autoGainControl": False,
}
"""Left on, these change the level and mute steady sounds: the model would be given
sound unlike that of its training."""

_NO_DEVICE, _REFUSED, _BUSY = "NotFoundError", "NotAllowedError", "NotReadableError"

_ADVICE = {
    _NO_DEVICE: "**Your browser finds no microphone.** Plug one in or switch it on, "
    "and check that it is enabled in your system’s sound settings.",
    _REFUSED: "**Your browser does not let this page use the microphone.** Allow it "
    "with the symbol beside the page’s address, and check that your system lets the "
    "browser use the microphone (on a Mac and on phones, in the privacy settings).",
    _BUSY: "**Your microphone gives no sound to the browser.** Close other programs "
    "and tabs that use it, such as a call, or plug it in again.",
}
_OTHER = (
    "**Your browser cannot open the microphone.** Check it in your system’s sound "
    "settings, or try another browser."
)

# https://www.w3.org/TR/mediacapture-streams/ names the errors and constraints.
_SCRIPT = """
export default function ({ data, parentElement, setStateValue }) {
  const devices = navigator.mediaDevices;
  if (!devices || !devices.getUserMedia) return;  // no safe address: the page says so
  let isOpen = true, permission = null;
  const tell = (problem) => {
    // This function runs again when the page does, with the same parent.
    if (!isOpen || problem === (parentElement.problem ?? null)) return;
    parentElement.problem = problem;
    setStateValue("problem", problem);
  };
  const own = Object.hasOwn(devices, "getUserMedia") ? devices.getUserMedia : null;
  const ask = MediaDevices.prototype.getUserMedia.bind(devices);
  devices.getUserMedia = async (wanted) => {
    if (!wanted || !wanted.audio || wanted.video) return ask(wanted);
    const audio = wanted.audio === true ? {} : wanted.audio;
    try {
      const stream = await ask({ ...wanted, audio: { ...audio, ...data.unchanged } });
      tell(null);
      return stream;
    } catch (error) {
      tell(error.name);
      throw error;
    }
  };
  const look = async (change) => {
    if (permission && permission.state === "denied") return tell("NotAllowedError");
    const all = await devices.enumerateDevices();
    const any = all.some((device) => device.kind === "audioinput");
    if (!any) tell("NotFoundError");
    else if (change) tell(null);
  };
  const begin = async () => {
    try {
      permission = await navigator.permissions.query({ name: "microphone" });
      permission.addEventListener("change", look);
    } catch {
      permission = null;  // a browser that does not tell before it is asked
    }
    await look();
  };
  devices.addEventListener("devicechange", look);
  begin();
  return () => {
    isOpen = false;
    devices.removeEventListener("devicechange", look);
    if (permission) permission.removeEventListener("change", look);
    if (own) devices.getUserMedia = own;
    else delete devices.getUserMedia;
  };
}
"""


def find_problem() -> str | None:
    """Watch the visitor's microphone; the name of what ails it, None if nothing does.

    While this is on the page, recorders of the page are given unchanged sound.
    """
    watch = st.components.v2.component("audiomnist_microphone", js=_SCRIPT)
    result = watch(
        key=f"{state.LIVE_MICROPHONE}-{st.session_state.get(state.LIVE_TRIES, 0)}",
        data={"unchanged": UNCHANGED},
        height=1,
        on_problem_change=lambda: None,
    )
    return result.problem


def explain(problem: str) -> None:
    """Say what ails the microphone and what helps, in place of a recorder."""
    st.warning(
        f"{_ADVICE.get(problem, _OTHER)} Then try again. Or choose Upload and give a "
        "sound file.",
        icon=":material/mic_off:",
    )
    st.button("Try again", icon=":material/refresh:", on_click=_try_again)


def _try_again() -> None:
    """Look at the microphone anew, as on a page just opened."""
    st.session_state[state.LIVE_TRIES] = st.session_state.get(state.LIVE_TRIES, 0) + 1
