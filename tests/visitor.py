"""A visitor of the app who needs no browser: Streamlit's AppTest."""

import re
from typing import Any

from streamlit.testing.v1 import AppTest

from audiomnist.settings import REPOSITORY
from audiomnist.ui.layout import script

APP = REPOSITORY / "streamlit_app.py"


def open_page(name: str, **query: str) -> AppTest:
    """Open a page as a new visitor."""
    page = AppTest.from_file(APP, default_timeout=60).run()
    if name != "overview":
        page.switch_page(script(name))
        page.query_params.update(query)
        page.run()
    assert not page.exception
    return page


def text(page: AppTest) -> str:
    """Everything that a page says in words."""
    kinds = ("title", "header", "subheader", "markdown", "caption", "html")
    boxes = ("info", "success", "warning", "error")
    said = [str(element.value) for kind in kinds + boxes for element in page.get(kind)]
    said += [f"{metric.label}: {metric.value}" for metric in page.metric]
    said += [bar.text for bar in page.get("progress")]
    return "\n".join(said).replace("\N{NO-BREAK SPACE}", " ")


def errors(page: AppTest) -> list[str]:
    """The errors that a page shows, as a visitor reads them."""
    return [re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", box.value) for box in page.error]


def widget(page: AppTest, kind: str, label: str) -> Any:
    """The one widget of this kind with this label."""
    widgets = [element for element in page.get(kind) if element.label == label]
    assert len(widgets) == 1, f"{len(widgets)} widgets {kind} {label!r}"
    return widgets[0]


def press(page: AppTest, label: str) -> AppTest:
    """Press a button."""
    widget(page, "button", label).click().run()
    assert not page.exception
    return page
