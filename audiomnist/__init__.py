"""Audio MNIST: hear a spoken digit, know which one, and see why.

The package is the whole product without its pages: recordings become a split,
a split becomes features, features train a network, and a trained model hears
digits. Each module imports only modules that come before it in that flow, and
none of them imports Streamlit.
"""
