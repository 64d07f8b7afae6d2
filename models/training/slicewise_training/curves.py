"""Draws a training run's curves as SVG: loss, and validation Dice by structure and in the mean."""

from __future__ import annotations

from html import escape
from typing import Any

WIDTH, HEIGHT, LEFT, TOP, RIGHT, BOTTOM = 760, 360, 46, 34, 240, 40


def draw(title: str, rows: list[dict[str, Any]], names: dict[str, str]) -> str:
    """Both share the axis 0…1; a loss beyond it is cut off."""
    # A run of a few steps has taken 0.00 minutes.
    minutes = max(row["minutes"] for row in rows) or 1.0

    def place(minute: float, value: float) -> str:
        x = LEFT + minute / minutes * (WIDTH - LEFT - RIGHT)
        y = TOP + (1 - min(value, 1)) * (HEIGHT - TOP - BOTTOM)
        return f"{x:.1f},{y:.1f}"

    def line(points: list[tuple[float, float]], colour: str, width: float) -> str:
        path = " ".join(place(*point) for point in points)
        return f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="{width}"/>'

    def text(x: float, y: float, words: str, anchor: str = "start", colour: str = "#444") -> str:
        return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}">{escape(words)}</text>'

    parts = [text(LEFT, 20, f"{title}: validation Dice, and loss (grey), by minutes of training")]
    for tenth in range(0, 11, 2):
        y = float(place(0, tenth / 10).split(",")[1])
        parts.append(f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y}" y2="{y}" stroke="#ddd"/>')
        parts.append(text(LEFT - 6, y + 4, f"{tenth / 10:.1f}", "end"))
    for part in range(5):
        minute = minutes * part / 4
        parts.append(text(float(place(minute, 0).split(",")[0]), HEIGHT - 18, f"{minute:.0f}", "middle"))
    parts.append(line([(row["minutes"], row["loss"]) for row in rows if "loss" in row], "#bbb", 1))
    validations = [row for row in rows if "validation" in row]
    labels = []
    for n, (key, name) in enumerate(names.items()):
        colour = "#000" if key == "mean" else f"hsl({360 * n / len(names):.0f} 60% 45%)"
        points = [(row["minutes"], row["validation"][key]) for row in validations]
        parts.append(line(points, colour, 2.5 if key == "mean" else 1.5))
        if points:
            labels.append((float(place(*points[-1]).split(",")[1]), f"{name} {points[-1][1]:.3f}", colour))
    below = 0.0
    for y, words, colour in sorted(labels):
        below = max(y + 4, below + 14)
        parts.append(text(WIDTH - RIGHT + 6, below, words, colour=colour))
    body = "\n".join(parts)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" '
        f'font-size="12">\n<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>\n{body}\n</svg>\n'
    )
