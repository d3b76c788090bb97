"""Docstrings as Markdown: examples as sessions, ``name : meaning`` as paragraphs of their own."""

import re

import griffe

EXAMPLE = re.compile(r"^>>> .*?(?=^\s*$|\Z)", re.M | re.S)
DIRECTIVE = re.compile(r" *# doctest: [+\w]+$", re.M)
ONE = r"[\w*]+(?:\([\w*, ]*\))?"
PARAMETER = re.compile(rf"(?:^|   )({ONE}(?:, {ONE})*) : ", re.M)
SENTENCE = re.compile(r"(?<=\.)\n(?=[A-Z])")
LITERAL = re.compile(r"(.)::$", re.M)


class Docstrings(griffe.Extension):
    def on_object(self, *, obj, **_):
        if obj.docstring:
            obj.docstring.value = markdown(obj.docstring.value)


def markdown(docstring: str) -> str:
    """Prose and examples take turns; only the prose is changed."""
    parts, end = [], 0
    for example in EXAMPLE.finditer(docstring):
        parts += [prose(docstring[end : example.start()]), session(example[0])]
        end = example.end()
    return "".join([*parts, prose(docstring[end:])])


def prose(text: str) -> str:
    text = SENTENCE.sub("\n\n", LITERAL.sub(r"\1:", text))
    return PARAMETER.sub(r"\n\n**`\1`** : ", text)


def session(text: str) -> str:
    return f"\n```pycon\n{DIRECTIVE.sub('', text).rstrip()}\n```\n"
