"""Entry point of the app: the navigation over pages/, nothing else."""

import streamlit as st

from audiomnist.ui import server, theme
from audiomnist.ui.layout import FAVICON, LOGO, PAGES, script
from audiomnist.ui.live import keeping

FIRST = "overview"


def show() -> None:
    """Show the page that a visitor asks for."""
    pages = {
        name: st.Page(
            script(name),
            title=info.title,
            icon=info.icon,
            help=info.help,
            url_path="start" if name == FIRST else name,
            default=name == FIRST,
        )
        for name, info in PAGES.items()
    }

    def to_first() -> None:
        """Send the first page's deep link to the root, where Streamlit serves it."""
        st.switch_page(pages[FIRST], query_params=st.query_params.to_dict())

    deep_link = st.Page(
        to_first, url_path=FIRST, title=PAGES[FIRST].title, visibility="hidden"
    )
    page = st.navigation([*pages.values(), deep_link])
    if page is not pages["live"]:
        keeping.leave()
    st.set_page_config(
        page_title=f"{page.title} · Audio MNIST",
        page_icon=FAVICON,
        layout="wide",
    )
    st.logo(LOGO, size="large")
    page.run()
    theme.follow()


if __name__ == "__main__":
    show()
else:
    # `streamlit run` imports this file once, as a server, before anybody visits.
    server.prepare()
    app = st.App(__file__, lifespan=server.lifespan)
