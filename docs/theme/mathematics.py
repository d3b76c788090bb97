"""Formulas of the site as MathML, which browsers draw themselves, and the font they are drawn in.

Both are made while the site is built: a page runs no script and asks no other server for anything.
"""

import html
import io
import re
from pathlib import Path

import ziamath
from fontTools import subset
from fontTools.ttLib import TTFont
from latex2mathml.converter import convert
from mkdocs.structure.files import File

FONT = Path(ziamath.__file__).parent / "fonts" / "STIXTwoMath-Regular.ttf"
FORMULA = re.compile(r'<(span|div) class="arithmatex">\\[(\[](.*?)\\[)\]]</\1>', re.S)
PRIME = re.compile(r"<msup>(<mi>[^<]*</mi>)<mi>(&#x0203[2-4];)</mi></msup>")  # high already
NAME = re.compile(
    r"(?<!<msup>)(?<!<msub>)(<mi>[a-zA-Z]{2,}</mi>)(?=<m(?:i|n|frac|over|sub|sup|row)\b)"
)  # sin u
CHARACTERS = [
    *range(0x20, 0x17F),  # Latin
    *range(0x300, 0x340),  # accents
    *range(0x370, 0x400),  # Greek
    *range(0x2000, 0x2070),  # spaces, dashes, primes
    *range(0x2100, 0x2150),  # symbols like letters
    *range(0x2190, 0x2300),  # arrows, operators
    *range(0x23DC, 0x23E2),  # horizontal braces
    *range(0x27E6, 0x27EC),  # brackets
    *range(0x1D400, 0x1D7FF),  # mathematical letters
]


def on_files(files, config):
    files.append(File.generated(config, "assets/mathematics.woff", content=font()))
    return files


def on_page_content(content, page, config, files):
    return FORMULA.sub(mathml, content)


def mathml(formula: re.Match) -> str:
    tex = html.unescape(formula[2]).strip()
    if formula[1] == "span":
        return element(tex, "inline")
    return f'<div class="formula" tabindex="0">{element(tex, "block")}</div>'


def element(tex: str, display: str) -> str:
    """MathML with two things put right that browsers leave to the writer."""
    element = PRIME.sub(
        r'\1<mo form="postfix" lspace="0" rspace="0">\2</mo>', convert(tex, display=display)
    )
    return NAME.sub(r'\1<mspace width="0.167em"/>', element)


def font() -> bytes:
    """STIX Two Math (SIL Open Font Licence), without the characters no formula here needs."""
    options = subset.Options(layout_features=["*"], name_IDs=["*"], notdef_outline=True)
    cut = subset.Subsetter(options)
    cut.populate(unicodes=CHARACTERS)
    stix = TTFont(FONT)
    cut.subset(stix)
    stix.flavor = "woff"
    file = io.BytesIO()
    stix.save(file)
    return file.getvalue()
