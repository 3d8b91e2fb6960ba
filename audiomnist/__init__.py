"""Audio MNIST: recognize spoken digits, and see why.

The package is the whole product without its pages: recordings are split and turned into
features, features train a network, and the trained model recognizes digits. Each module
imports only modules that come before it in that flow, and none of them imports
Streamlit.
"""
