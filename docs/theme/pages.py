"""Pages made of other things: the navigation, the changelog, the command line, sessions."""

import re
from enum import Enum
from pathlib import Path

import typer
from mkdocs.structure.files import File

from chainrule.cli.commands import app

ROOT = Path(__file__).resolve().parent.parent.parent
DOCS = ROOT / "docs"
SESSION = re.compile(r"^```python\n(>>> .*?)^```", re.M | re.S)


def on_config(config):
    """``folder/*.md`` in the navigation stands for the pages of a folder that it does not name."""
    named = set(paths(config.nav))
    config.nav = expanded(config.nav, named)
    return config


def paths(nav):
    for entry in nav:
        target = next(iter(entry.values())) if isinstance(entry, dict) else entry
        if isinstance(target, list):
            yield from paths(target)
        else:
            yield target


def expanded(nav, named: set[str]) -> list:
    entries = []
    for entry in nav:
        if isinstance(entry, dict):
            title, target = next(iter(entry.items()))
            entries.append({title: expanded(target, named) if isinstance(target, list) else target})
        elif "*" in entry:
            found = (p.relative_to(DOCS).as_posix() for p in sorted(DOCS.glob(entry)))
            entries += [path for path in found if path not in named]
        else:
            entries.append(entry)
    return entries


def on_files(files, config):
    changelog = (ROOT / "CHANGELOG.md").read_text()
    style = Path(__file__).with_name("style.css").read_text()
    files.append(File.generated(config, "changelog.md", content=changelog))
    files.append(File.generated(config, "assets/style.css", content=style))
    return files


def on_page_markdown(markdown, page, config, files):
    if page.file.src_uri == "reference/command_line.md":
        markdown += command_line()
    return SESSION.sub(session, markdown)


def session(block: re.Match) -> str:
    """``>>>`` and results are coloured as such; an empty line needs no mark on paper."""
    return "```pycon\n" + block[1].replace("<BLANKLINE>\n", "\n") + "```"


def command_line() -> str:
    """Commands and options, from the objects that ``chainrule --help`` is printed from."""
    commands = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    return "\n".join(section(name, each) for name, each in commands.items() if not each.hidden)


def section(name: str, command) -> str:
    arguments = [p for p in command.params if p.param_type_name == "argument"]
    usage = " ".join(["chainrule", name, *(p.metavar or p.name.upper() for p in arguments)])
    return "\n".join(
        [
            f"## `{usage}`\n\n{command.help}\n",
            "| option | meaning | default |",
            "|---|---|---|",
            *(row(p) for p in command.params),
            "",
        ]
    )


def row(parameter) -> str:
    name = parameter.metavar if parameter.param_type_name == "argument" else parameter.opts[0]
    if parameter.param_type_name == "option" and parameter.metavar:
        name += " " + parameter.metavar
    default = parameter.default
    default = default.value if isinstance(default, Enum) else default
    shown = "" if default is None or default is False else f"`{default}`"
    return f"| `{name}` | {parameter.help.replace('|', '&#124;')} | {shown} |"
