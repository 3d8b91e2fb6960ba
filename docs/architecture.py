"""Draw the architecture picture, light and dark: the packages in order of import.

The order is that of the contract in pyproject.toml, which import-linter enforces. Run
`python docs/architecture.py` after a change to it.
"""

import tomllib
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).resolve().parent

NOTES = {
    "pages": "what people use",
    "commands": "the command line",
    "benchmark": "measures what the documentation claims",
    "ui": "what the pages are made of",
    "recipes": "how the shipped models are made",
    "plots": "figures",
    "runs": "training as a process and a folder",
    "training": "the learning loop",
    "evaluation": "metrics, noise",
    "recognition": "from a recording to a digit, with LiteRT",
    "features": "log-mel images and MFCC",
    "networks": "Keras models",
    "corpora": "recordings and splits",
    "storage": "files written completely or not at all",
    "audio": "decoding, encoding, resampling, noise",
    "settings": "folders and limits",
    "configs": "configs as JSON",
    "digits": "the ten words",
    "errors": "one base class",
}
USES_KERAS = ("networks", "training", "recipes")
USES_STREAMLIT = ("pages", "ui")

WIDTH, LEFT, RIGHT = 760, 24, 430
HEIGHT, GAP, TOP = 34, 12, 20
FONT = "ui-sans-serif, system-ui, 'Segoe UI', Roboto, Helvetica, Arial, sans-serif"


@dataclass(frozen=True)
class Colours:
    """The colours of one picture."""

    background: str
    text: str
    quiet: str
    box: str
    border: str
    keras: str
    streamlit: str


THEMES = {
    "light": Colours(
        *("#fbfaf6", "#101c22", "#4b5a62", "#f1eee4", "#b9b19b", "#d97706", "#0f766e")
    ),
    "dark": Colours(
        *("#10181d", "#e9eef0", "#a9b6bd", "#1a252c", "#46606c", "#f2a93b", "#3cc9b5")
    ),
}


def floors() -> list[list[str]]:
    """Names of the packages, from the top to the foundation."""
    pyproject = tomllib.loads((FOLDER.parent / "pyproject.toml").read_text("utf-8"))
    contracts = pyproject["tool"]["importlinter"]["contracts"]
    (layers,) = (c["layers"] for c in contracts if c["type"] == "layers")
    packages = [sorted(layer.split(" | ")) for layer in layers if layer != "__main__"]
    return [["pages"], *packages]


def draw(colours: Colours) -> str:
    """Draw the floors as SVG."""
    drawn = floors()
    bottom = TOP + len(drawn) * (HEIGHT + GAP)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {bottom + 44}" '
        f'font-family="{FONT}" font-size="14" role="img">',
        "<title>The packages of audiomnist, each importing only from below</title>",
        f'<rect width="100%" height="100%" rx="10" fill="{colours.background}"/>',
    ]
    for floor, names in enumerate(drawn):
        y = TOP + floor * (HEIGHT + GAP)
        width = (RIGHT - LEFT - GAP * (len(names) - 1)) / len(names)
        for i, name in enumerate(names):
            parts += _box(name, LEFT + i * (width + GAP), y, width, colours)
        parts.append(
            f'<text x="{RIGHT + 20}" y="{y + HEIGHT / 2 + 5}" '
            f'fill="{colours.quiet}">{"; ".join(NOTES[name] for name in names)}</text>'
        )
    legend = (
        (colours.streamlit, "may import Streamlit"),
        (colours.keras, "may import TensorFlow and Keras, in the training process"),
    )
    for x, (colour, text) in zip((LEFT, LEFT + 190), legend, strict=True):
        parts += [
            f'<rect x="{x}" y="{bottom + 9}" width="14" height="14" rx="3" fill="none" '
            f'stroke="{colour}" stroke-width="2.5"/>',
            f'<text x="{x + 22}" y="{bottom + 21}" '
            f'fill="{colours.quiet}">{text}</text>',
        ]
    return "\n".join([*parts, "</svg>", ""])


def _box(name: str, x: float, y: float, width: float, colours: Colours) -> list[str]:
    """One package; the colour of its border says what it may import."""
    stroke, thickness = colours.border, 1.2
    if name in USES_KERAS:
        stroke, thickness = colours.keras, 2.5
    elif name in USES_STREAMLIT:
        stroke, thickness = colours.streamlit, 2.5
    return [
        f'<rect x="{x:g}" y="{y}" width="{width:g}" height="{HEIGHT}" rx="7" '
        f'fill="{colours.box}" stroke="{stroke}" stroke-width="{thickness}"/>',
        f'<text x="{x + width / 2:g}" y="{y + HEIGHT / 2 + 5}" text-anchor="middle" '
        f'fill="{colours.text}">{name}</text>',
    ]


def main() -> None:
    """Write both pictures."""
    for theme, colours in THEMES.items():
        path = FOLDER / f"architecture-{theme}.svg"
        path.write_text(draw(colours), encoding="utf-8")


if __name__ == "__main__":
    main()
