"""The user's names as mathematics writes them: W_1 for W1, a Greek letter for sigma.

Two names never look alike: the later one is then set as code.
"""

import re

GREEK = frozenset(
    "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi pi rho sigma tau "
    "upsilon phi chi psi omega Gamma Delta Theta Lambda Xi Pi Sigma Upsilon Phi Psi Omega".split()
)
_SHORT_GREEK = {"lam": "lambda", "lamda": "lambda", "eps": "epsilon", "lambda_": "lambda"}
_LETTERS = dict(zip("αβγδεζηθικλμνξπρστυφχψωΓΔΘΛΞΠΣΥΦΨΩ", (
    "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi o pi rho sigma tau "
    "upsilon phi chi psi omega Gamma Delta Theta Lambda Xi Pi Sigma Upsilon Phi Psi Omega"
).split()))  # fmt: skip
_ESCAPES = {
    "\\": r"\backslash{}", "{": r"\{", "}": r"\}", "_": r"\_", "#": r"\#", "%": r"\%", "&": r"\&",
    "$": r"\$", "^": r"\hat{}", "~": r"\sim{}", "'": r"\text{'}", '"': r"\text{\textquotedbl}",
    " ": r"\ ", "|": r"\vert{}",
}  # fmt: skip


def code(text: str) -> str:
    """A piece of code inside a formula."""
    text = text.replace('"', "'")
    return r"\mathtt{" + "".join(_ESCAPES.get(c, _letter(c)) for c in text) + "}"


def words(text: str) -> str:
    """Plain words inside a formula."""
    escapes = {**_ESCAPES, "'": "'", '"': '"', " ": " ", "^": r"\^{}", "~": r"\~{}"}
    return r"\text{" + "".join(escapes.get(c, c) for c in text) + "}"


def _letter(c: str) -> str:
    return c if c.isascii() else r"\text{" + c + "}"


class Names:
    """Names in formulas; each looks different from all others."""

    def __init__(self) -> None:
        self._parts: dict[str, tuple[str, str]] = {}  # the letter, and what hangs on it
        self._taken: dict[str, str] = {}

    def __call__(self, name: str) -> str:
        letter, rest = self.parts(name)
        return letter + rest

    def bar(self, name: str) -> str:
        """The cotangent of ``name``."""
        letter, rest = self.parts(name)
        return (r"\bar{" if _is_one(letter) else r"\overline{") + letter + "}" + rest

    def parts(self, name: str) -> tuple[str, str]:
        found = self._parts.get(name)
        if found is None:
            found = _parts(name)
            if self._taken.setdefault("".join(found), name) != name:
                found = code(name), ""
                self._taken["".join(found)] = name
            self._parts[name] = found
        return found


def is_greek(name: str) -> bool:
    """Whether a name is written with a Greek letter: sigma, lam, α_1."""
    return (_letter_and_sub(name)[0][0]) == "\\" and not _letter_and_sub(name)[0].endswith("}")


def _is_one(letter: str) -> bool:
    return len(letter.rstrip("'")) == 1 or (letter[0] == "\\" and letter[1:].isalpha())


_FOLDED = re.compile(r"(.*)_\{(.+)\}")
_INDEXED = re.compile(r"([^\W\d]\w*)\[(\w+|-\d+)\]")
_LETTER_AND_MORE = re.compile(r"([^\W\d_]+?)_?(\d+|(?<=_)[^\W_]+)?")


def _parts(name: str) -> tuple[str, str]:
    """The letter or word, and what hangs on it: ("W", "_{1}") of W1."""
    below = []
    folded = _FOLDED.fullmatch(name)
    if folded is not None:  # h_{t-1} of a rolled loop
        name = folded[1]
        below.append(folded[2])
    indexed = _INDEXED.fullmatch(name)
    if indexed is not None:  # spaces, so that the number may be seen to grow with the round
        name = indexed[1]
        below.insert(0, f" {indexed[2]} " if indexed[2].lstrip("-").isdigit() else indexed[2])
    word = name.rstrip("'")
    letter, sub = _letter_and_sub(word)
    below = [sub, *below] if sub else below
    return letter + name[len(word) :], "_{" + ", ".join(below) + "}" if below else ""


def _letter_and_sub(word: str) -> tuple[str, str]:
    found = _LETTER_AND_MORE.fullmatch(word)
    base = found and _base(found[1])
    if found is not None and base is not None:
        sub = found[2] or ""
        return base, sub if sub.isdigit() or not sub else _base(sub) or _word(sub)
    return _word(word), ""


def _word(word: str) -> str:
    if not f"x{word}".isidentifier():
        return code(word)
    kind = r"\mathrm{" if word.isascii() else r"\text{"
    return kind + word.replace("_", r"\_") + "}"


def _base(word: str) -> str | None:
    """A Greek or a single letter; None for other words."""
    word = _SHORT_GREEK.get(word, word)
    word = _LETTERS.get(word, word)
    if word in GREEK:
        return "\\" + word
    return word if len(word) == 1 and word.isascii() else None
