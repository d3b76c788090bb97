"""The report as a page: one file that needs no network, for light and dark screens."""

from html import escape

from chainrule.checker.pictures import heat_maps, v_curve
from chainrule.checker.report import ArgumentReport, Report

_MAPS = 12  # arrays that get pictures, wrong ones first
_FINDINGS = 60

_STYLE = """
.chainrule{--plus:#b35806;--minus:#2166ac;--good:#1a7f37;--bad:#cf222e;--doubt:#9a6700;
--soft:rgba(127,127,127,.14);--faint:rgba(127,127,127,.35);--dim:#57606a;
font:15px/1.5 system-ui,sans-serif;max-width:60rem}
@media(prefers-color-scheme:dark){.chainrule{--plus:#fdb863;--minus:#79b8ff;--good:#3fb950;
--bad:#ff7b72;--doubt:#d29922;--dim:#9aa4ae}}
.chainrule h1{font-size:1.15rem;font-weight:600;margin:.2rem 0 .6rem}
.chainrule h2{font-size:1rem;margin:1.4rem 0 .4rem}
.chainrule b.verdict{color:#fff;border-radius:.3rem;padding:.05rem .5rem;margin-right:.5rem}
.chainrule b.pass{background:#1a7f37}.chainrule b.fail{background:#cf222e}
.chainrule b.inconclusive{background:#9a6700}
.chainrule p{margin:.4rem 0}.chainrule .fault{border-left:.25rem solid var(--bad);
padding:.3rem .8rem;background:var(--soft)}
.chainrule .scroll{overflow-x:auto}
.chainrule table{border-collapse:collapse;font-variant-numeric:tabular-nums}
.chainrule th,.chainrule td{text-align:left;padding:.2rem .9rem .2rem 0;
border-bottom:1px solid var(--faint);vertical-align:top}
.chainrule th{font-weight:600;color:var(--dim)}
.chainrule td.pass{color:var(--good)}.chainrule td.fail{color:var(--bad);font-weight:600}
.chainrule td.inconclusive{color:var(--doubt)}
.chainrule code{font:13px ui-monospace,monospace;overflow-wrap:anywhere}
.chainrule figure{display:inline-block;margin:.3rem 1.2rem .3rem 0;vertical-align:top}
.chainrule figcaption{color:var(--dim);font-size:.85rem}
.chainrule svg{max-width:100%;height:auto}
.chainrule rect,.chainrule .key i{stroke:var(--faint);stroke-width:.5}
.chainrule rect.plus{fill:var(--plus)}.chainrule rect.minus{fill:var(--minus)}
.chainrule rect.good{fill:var(--good);fill-opacity:.25}.chainrule rect.bad{fill:var(--bad)}
.chainrule rect.none{fill:none;stroke-dasharray:2 2}
.chainrule .key{color:var(--dim);font-size:.85rem}
.chainrule .key span{margin-right:1rem;white-space:nowrap}
.chainrule .key i{display:inline-block;width:.75rem;height:.75rem;margin-right:.3rem}
.chainrule i.plus{background:var(--plus)}.chainrule i.minus{background:var(--minus)}
.chainrule i.good{background:var(--good);opacity:.35}.chainrule i.bad{background:var(--bad)}
.chainrule i.none{border:1px dashed var(--faint)}
.chainrule .curve svg{width:35rem}
.chainrule .curve text{font-size:12px;fill:currentColor}
.chainrule .curve polyline{fill:none;stroke:var(--minus);stroke-width:1.5}
.chainrule .curve circle{fill:var(--minus)}
.chainrule .axis{fill:none;stroke:currentColor}.chainrule .grid{stroke:var(--soft)}
.chainrule line.bound{stroke:var(--good);stroke-dasharray:5 4}
.chainrule line.claim{stroke:var(--bad);stroke-dasharray:5 4}
.chainrule .curve text.bound{fill:var(--good)}.chainrule .curve text.claim{fill:var(--bad)}
.chainrule line.chosen{stroke:var(--doubt)}.chainrule .curve circle.chosen{fill:none;
stroke:var(--doubt);stroke-width:2}
.chainrule .dim{color:var(--dim);font-size:.9rem}
.chainrule section{margin-left:1rem;border-left:2px solid var(--soft);padding-left:1rem}
"""

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark"><title>{title}</title>
<style>body{{margin:2rem auto;padding:0 1rem;max-width:62rem}}</style></head>
<body>{body}</body></html>
"""


def page(report: Report) -> str:
    """The whole page, with the V-curve: f is evaluated for it, two seconds at most."""
    title = f"chainrule: {report.verdict}: {report.claimed_by or report.kind}"
    return _PAGE.format(title=escape(title), body=fragment(report, with_curve=True))


def fragment(report: Report, with_curve: bool = False) -> str:
    """The report as one element with its own style, as for notebooks."""
    return f'<div class="chainrule"><style>{_STYLE}</style>{_body(report, with_curve)}</div>'


def _body(report: Report, with_curve: bool) -> str:
    parts = [_head(report)]
    if report.arguments:
        parts.append(_arguments(report.arguments))
        parts += _maps(report)
    if with_curve and report.case is not None:
        curve = report.case.curve(report)
        parts.append("" if curve is None else f"<h2>Error against step</h2>{v_curve(curve)}")
    if report.findings:
        parts.append(_findings(report))
    for part in report.parts:
        parts.append(f"<section><h2>{escape(part.kind)}</h2>{_body(part, False)}</section>")
    parts += [f'<p class="dim">warning: {escape(text)}</p>' for text in report.warnings]
    parts += [_foot(report)]
    return "".join(parts)


def _head(report: Report) -> str:
    verdict = f'<b class="verdict {report.verdict}">{report.verdict.upper()}</b>'
    rows = [f"<h1>{verdict}{escape(report.reason)}</h1>"]
    if report.fault:
        rows.append(f'<p class="fault">{escape(report.fault)}</p>')
    if report.worst is not None and not report.parts:
        rows.append(f"<p>Worst: <code>{escape(str(report.worst))}</code></p>")
    return "".join(rows)


def _arguments(arguments: tuple[ArgumentReport, ...]) -> str:
    head = "argument shape verified wrong digits pattern".split()
    rows = []
    for a in arguments:
        kind = "fail" if a.wrong else "pass" if a.verified == a.size else "inconclusive"
        digits = "" if a.digits is None else f"{a.digits:.1f}"
        cells = [f"<code>{escape(a.name)}</code>", str(a.shape), f"{a.verified} of {a.size}"]
        cells += [str(a.wrong), digits, escape(a.pattern)]
        rows.append("".join(f'<td class="{kind * (k == 3)}">{c}</td>' for k, c in enumerate(cells)))
    return _table(head, rows)


def _maps(report: Report) -> list[str]:
    rows = sorted(report.arguments, key=lambda a: -a.wrong)
    pictures = [(a.name, heat_maps(a, report.tol)) for a in rows[:_MAPS]]
    made = [
        f"<h2><code>{escape(name)}</code></h2>{picture}" for name, picture in pictures if picture
    ]
    hidden = len(rows) - _MAPS
    return made + ([f'<p class="dim">{hidden} more without pictures</p>'] if hidden > 0 else [])


def _findings(report: Report) -> str:
    rows = [
        f'<td class="{f.verdict}">{f.verdict}</td><td><code>{escape(f.where)}</code></td>'
        f"<td>{escape(f.text)}</td>"
        for f in report.findings[:_FINDINGS]
    ]
    table = _table(["verdict", "step", ""], rows)
    return f"<h2>Steps, from the last one backwards</h2>{table}"


def _table(head: list[str], rows: list[str]) -> str:
    titles = "".join(f"<th>{title}</th>" for title in head)
    lines = "".join(f"<tr>{row}</tr>" for row in rows)
    return f'<div class="scroll"><table><tr>{titles}</tr>{lines}</table></div>'


def _foot(report: Report) -> str:
    lines = []
    if report.claimed_by:
        lines.append(
            f"claimed: <b>{escape(report.claimed_by)}</b>; "
            f"numeric: <b>{escape(report.numeric_from)}</b>"
        )
    lines.append(
        f"{report.evaluations} evaluations of f, {report.gradient_evaluations} of grad; "
        f"mode {report.mode or 'none'}, seed {report.seed}, tol {report.tol:g}, "
        f"noise of f {report.noise:.1e}"
    )
    if report.reproduce:
        lines.append(f"again: <code>{escape(report.reproduce)}</code>")
    return f'<p class="dim">{"<br>".join(lines)}</p>'
