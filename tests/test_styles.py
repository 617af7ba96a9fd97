"""The style sheets: one file for one block, so that two blocks never share a name by accident."""

import re
from collections import defaultdict
from pathlib import Path

CSS = Path("shop/static/css")


def test_no_block_is_begun_in_two_files():
    begun = defaultdict(set)
    for file in CSS.rglob("*.css"):
        for name in re.findall(r"^  \.([a-z][a-z-]*) \{", file.read_text(), re.M):
            begun[name].add(file.name)
    assert {name: files for name, files in begun.items() if len(files) > 1} == {}
