"""The only Streamlit code outside pages/: what several pages, or one large one, show.

Cached calls of the package, figures in the visitor's theme, errors in plain words,
and the parts of pages that are more than a few lines. Everything that is computed
stays in the modules before; the pages come next.
"""
