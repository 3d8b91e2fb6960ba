"""Pictures that follow the theme: they are drawn anew when the browser changes it.

Pictures are drawn by the server in one theme's colours, and Streamlit does not run a
page again when the system's theme changes under it. Owns the watch that asks for it.
"""

import streamlit as st

_WATCH = """
export default function ({ setTriggerValue }) {
  const app = document.querySelector('[data-testid="stApp"]');
  const scheme = () => getComputedStyle(app).colorScheme;
  let seen = scheme();
  const look = () => {
    if (scheme() === seen) return;
    seen = scheme();
    setTriggerValue("changed", seen);
  };
  const watch = new MutationObserver(look);
  watch.observe(app, { attributes: true, attributeFilter: ["class", "style"] });
  return () => watch.disconnect();
}
"""


def follow() -> None:
    """Run the page again when the visitor's theme turns from light to dark, or back."""
    watch = st.components.v2.component("theme-watch", js=_WATCH)
    watch(key="theme-watch", on_changed_change=lambda: None, height=1)
