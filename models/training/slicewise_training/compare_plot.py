"""Draws what `compare` found as SVG: a row for each network, a column of dots for each figure."""

from __future__ import annotations

from html import escape
from typing import Any

COLUMNS = (
    ("dice", "Dice", "{:.3f}"),
    ("surfaceDice", "surface Dice, 1 px", "{:.3f}"),
    ("hd95Px", "HD95, px", "{:.1f}"),
    ("gmac", "GMAC a window", "{:.1f}"),
)
NAMES_WIDTH, COLUMN_WIDTH, ROW_HEIGHT, TOP, MARGIN, VALUE_WIDTH = 190, 150, 24, 40, 14, 40


def draw(networks: list[dict[str, Any]]) -> str:
    """In the given order. Each column has an axis of its own, from the least to the greatest of its figures; a network
    that lacks a figure has no dot there."""
    width = NAMES_WIDTH + len(COLUMNS) * COLUMN_WIDTH + MARGIN
    height = TOP + len(networks) * ROW_HEIGHT + MARGIN
    parts = []
    for n, network in enumerate(networks):
        y = row_middle(n)
        parts.append(f'<line x1="{MARGIN}" x2="{width - MARGIN}" y1="{y}" y2="{y}" stroke="#e4e4e4"/>')
        parts.append(text(MARGIN, y, network["id"]))
    for c, (key, title, form) in enumerate(COLUMNS):
        left = NAMES_WIDTH + c * COLUMN_WIDTH
        parts.append(text(left, TOP - 18, title, weight="bold"))
        figures = [(n, network[key]) for n, network in enumerate(networks) if network.get(key) is not None]
        low, high = min(value for _, value in figures), max(value for _, value in figures)
        for n, value in figures:
            share = (value - low) / (high - low) if high > low else 0.5
            x = left + 5 + share * (COLUMN_WIDTH - VALUE_WIDTH - 20)
            parts.append(f'<circle cx="{x:.1f}" cy="{row_middle(n)}" r="5" fill="#2b6cb0"/>')
            parts.append(text(x + 9, row_middle(n), form.format(value)))
    body = "\n".join(parts)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" '
        f'font-size="12">\n<rect width="{width}" height="{height}" fill="#fff"/>\n{body}\n</svg>\n'
    )


def row_middle(row: int) -> float:
    return TOP + (row + 0.5) * ROW_HEIGHT


def text(x: float, y: float, words: str, weight: str = "normal") -> str:
    style = f'dominant-baseline="middle" fill="#333" font-weight="{weight}" stroke="#fff" stroke-width="3"'
    return f'<text x="{x:.1f}" y="{y:.1f}" {style} paint-order="stroke">{escape(words)}</text>'
