"""Names under which the app keeps what belongs to one visitor.

Keys of `st.session_state` and of the address's query parameters, for every page, in
one place. Recordings live under such keys only, so no visitor hears another's.
"""

# Query parameters: what a link to a page can choose.
MODEL_PARAM = "model"
RUN_PARAM = "run"

# Widgets that keep their value while the visitor is on another page.
OVERVIEW_DIGIT = "overview-digit"
DATASET_CORPUS = "dataset-corpus"
DATASET_DIGITS = "dataset-digits"
DATASET_SEARCH = "dataset-search"
DATASET_SPEAKERS = "dataset-speakers"
TRAIN_CORPORA = "train-corpora"
TRAIN_KIND = "train-kind"
TRAIN_RUNS = "train-runs"
EVALUATE_MODEL = "evaluate-model"
EVALUATE_ON = "evaluate-on"
EVALUATE_OTHER = "evaluate-other"
EVALUATE_ERROR = "evaluate-error"
EVALUATE_VIEW = "evaluate-view"
EVALUATE_THRESHOLD = "evaluate-threshold"
LIVE_WAY = "live-way"
LIVE_RECORDING = "live-recording"
LIVE_UPLOAD = "live-upload"
LIVE_MODEL = "live-model"

# Other things that outlive one run of a page.
OVERVIEW_TURN = "overview-turn"
"""How often the visitor asked for another voice."""
DATASET_OPEN = "dataset-open"
"""Corpus to open at the next run, after a download or an import."""
DATASET_REPORT = "dataset-report"
"""Report of the last import."""
DATASET_PREVIEW = "dataset-preview"
"""How the names in the archive that was chosen last are read."""
TRAIN_BEGUN = "train-begun"
"""The run that the visitor started last, and when."""
TRAIN_STARTING = "train-starting"
"""A lock that the visitor's second press waits for, and nobody else's."""
LIVE_ANSWERED = "live-answered"
"""The sound whose answer the visitor sees."""
LIVE_CALLED = "live-called"
"""When the visitor's browser began to look for a way to the server."""
LIVE_LISTENER = "live-listener"
"""The listener of this visitor's stream."""
LIVE_OPEN = "live-open"
"""The way in that the visitor has open, while the Live page is open."""
LIVE_STREAM = "live-stream"
"""streamlit-webrtc's own context, under the key that it is given."""
