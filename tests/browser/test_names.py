"""Names that others gave, as a browser shows them."""

import re
from dataclasses import replace

from driving import SLOW, assert_no_error, visit
from playwright.sync_api import Page, expect

from audiomnist.audio.encoding import encode_wav
from audiomnist.benchmark.browser import Server
from audiomnist.corpora.library import import_corpus
from audiomnist.runs.folder import update_record

TEXT = re.compile("stMarkdownContainer|stCaptionContainer")
NAME = "*a* [b](c) :red[d] :material_delete: $x^2$ <b>e :smile: www.f.org g@h.org -> i"


def test_a_name_becomes_no_link_formula_or_icon(
    server: Server, page: Page, tmp_path, spoken, finished_run
):
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / f"7_{NAME}_0.wav").write_bytes(encode_wav(spoken(7)))
    import_corpus("odd", folder)
    rule = {"split_rule": "leave_one_out", "held_out": NAME}
    config = replace(finished_run.config, title=NAME[:60], **rule)
    update_record(finished_run, config=config)
    visit(page, server, f"train?run={finished_run.id}")
    assert_literal(page, NAME[:60])
    visit(page, server, f"evaluate?model={finished_run.id}")
    assert_literal(page, f"({NAME})")
    visit(page, server, "dataset")
    box = page.get_by_role("combobox", name="Corpus")
    box.click()
    box.fill("odd")
    box.press("Enter")
    assert_literal(page, f"by speaker {NAME}, take 0")


def assert_literal(page: Page, text: str) -> None:
    """The text is there, but for what cannot be seen, and has become nothing else."""
    joined = page.get_by_test_id(TEXT).filter(has_text="www")
    expect(joined.first).to_be_visible(timeout=SLOW)
    shown = "\n".join(joined.all_inner_texts()).replace("\N{WORD JOINER}", "")
    assert text in shown
    for sign in ("a", "b", "em", "img", ".katex"):
        expect(joined.locator(sign), sign).to_have_count(0)
    icons = joined.get_by_test_id("stIconMaterial")
    expect(icons.filter(has_text="delete")).to_have_count(0)
    assert_no_error(page)
