#!/usr/bin/env python3
"""Draws the panels of manifests/monitoring/dashboard.json from what a Prometheus has, as an SVG: panels.py URL SECONDS > FILE.

A stand-in for Grafana, which cannot be had here. It knows what that dashboard has: lines over time, and single values.
"""
import html
import json
import pathlib
import sys
import time
import urllib.parse
import urllib.request

COLOURS = ["#3b78c2", "#d9822b", "#3f9c5a", "#b4493f", "#7d5fb2", "#5b6770", "#b08d1e", "#2a9d9d"]
UNIT, GAP, TOP = 16, 6, 18  # pixels of a step of Grafana's grid, between panels, of a title


def ask(url, expression, start, end):
    expression = expression.replace("$__rate_interval", "10s")
    query = urllib.parse.urlencode({"query": expression, "start": start, "end": end, "step": 1})
    with urllib.request.urlopen(f"{url}/api/v1/query_range?{query}") as answer:
        return json.load(answer)["data"]["result"]


def said(value, unit):
    """A value as Grafana says it."""
    if unit == "s":
        for seconds, name in [(86400, "d"), (1, "s"), (1e-3, "ms"), (1e-6, "µs")]:
            if abs(value) >= seconds:
                return f"{value / seconds:,.3g} {name}" if value < 1000 * seconds else f"{value / seconds:,.0f} {name}"
    return f"{value:.3g}" + (" /s" if unit == "reqps" else "")


def label(target, metric):
    text = target["legendFormat"]
    for name, value in metric.items():
        text = text.replace("{{" + name + "}}", value)
    return text.strip()


def text(x, y, words, size=11, colour="#24292f", anchor="start"):
    return f'<text x="{x:.0f}" y="{y:.0f}" font-size="{size}" fill="{colour}" text-anchor="{anchor}">{html.escape(words)}</text>'


def lines(series, x, y, width, height, unit, start, end):
    """Lines over time, and what they are. Where some have values, those that are always 0 are left out."""
    some = [(name, points) for name, points in series if any(value for _, value in points)]
    series = some or series
    highest = max(value for _, points in series for _, value in points)
    top = highest or 1
    columns = 1 if any(len(name) > 22 for name, _ in series) else 2
    bottom = y + height - 14 * -(-len(series) // columns)
    plot = bottom - y
    yield f'<path d="M{x} {y}V{bottom}H{x + width}" fill="none" stroke="#d0d7de"/>'
    yield text(x + 3, y + 10, said(highest, unit), 9, "#6e7781")
    for at, (name, points) in enumerate(series):
        colour = COLOURS[at % len(COLOURS)]
        path, before = "", None
        for when, value in points:
            move = "L" if before is not None and when - before < 2 else "M"
            path += f"{move}{x + width * (when - start) / (end - start):.0f} {bottom - plot * value / top:.1f}"
            before = when
        yield f'<path d="{path}" fill="none" stroke="{colour}" stroke-width="1.5"/>'
        row, column = divmod(at, columns)
        yield text(x + column * width / 2, bottom + 13 + row * 14, f"● {name[:44]}", 10, colour)


def panel(url, panel, start, end):
    at = panel["gridPos"]
    column = UNIT * 2
    x, y = at["x"] * column + GAP, at["y"] * UNIT
    width, height = at["w"] * column - 2 * GAP, at["h"] * UNIT - GAP
    if panel["type"] == "row":
        yield text(x, y + 13, panel["title"], 14)
        return
    unit = panel["fieldConfig"]["defaults"]["unit"]
    series = []
    for target in panel["targets"]:
        for found in ask(url, target["expr"], start, end):
            points = [(when, float(value)) for when, value in found["values"] if value != "NaN"]
            series += [(label(target, found["metric"]), points)] if points else []
    yield f'<rect x="{x}" y="{y}" width="{width}" height="{height}" fill="#ffffff" stroke="#d0d7de" rx="3"/>'
    yield text(x + 6, y + 13, panel["title"], 11)
    if not series:
        yield text(x + width / 2, y + height / 2, "no data", 11, "#6e7781", "middle")
    elif panel["type"] == "stat":
        yield text(x + width / 2, y + height / 2 + 12, said(series[0][1][-1][1], unit), 26, "#3f9c5a", "middle")
    else:
        yield from lines(series, x + 6, y + TOP, width - 12, height - TOP - 6, unit, start, end)


def main():
    url, seconds = sys.argv[1], float(sys.argv[2])
    dashboard = json.loads((pathlib.Path(__file__).parents[2] / "manifests/monitoring/dashboard.json").read_text())
    end = time.time()
    panels = dashboard["panels"]
    height = max(it["gridPos"]["y"] + it["gridPos"]["h"] for it in panels) * UNIT
    width = 24 * UNIT * 2
    print(f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif">')
    print(f'<rect width="{width}" height="{height}" fill="#f6f8fa"/>')
    for one in panels:
        print("\n".join(panel(url, one, end - seconds, end)))
    print("</svg>")


main()
