"""The only Streamlit code outside pages/: what several pages, or one large one, show.

Owns cached calls of the package, figures in the visitor's theme, errors in plain words,
and the parts of pages that are more than a few lines. Everything that is computed is
left to the packages below; each page's own parts are in a package of its name.
"""
