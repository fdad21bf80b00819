"""Figures, their intervals and p-values as text."""

from __future__ import annotations

from pneumobench.evaluation.estimates import Estimate

UNDEFINED = "-"


def number(value: float) -> str:
    """Four characters from 0 to 1: ".912", "1.00"."""
    return f"{value:.2f}" if value >= 0.9995 else f"{value:.3f}".removeprefix("0")


def figure(estimate: Estimate) -> str:
    """ ".912 ± .010 [.887, .934]": value, standard deviation over seeds where there are several, interval."""
    if estimate.value != estimate.value:
        return UNDEFINED
    text = number(estimate.value)
    if estimate.sd is not None:
        text += f" ± {number(estimate.sd)}"
    if estimate.low == estimate.low:
        text += f" [{number(estimate.low)}, {number(estimate.high)}]"
    return text


def signed(estimate: Estimate) -> str:
    """ "+1.30 [+1.10, +1.50]": a figure that may be negative or large, with its interval; "-" where undefined."""
    if estimate.value != estimate.value:
        return UNDEFINED
    return f"{estimate.value:+.2f} [{estimate.low:+.2f}, {estimate.high:+.2f}]"


def seconds(value: float) -> str:
    """ "1,234"; "-" where they are not known."""
    return UNDEFINED if value != value else f"{value:,.0f}"


def difference(value: float, low: float, high: float) -> str:
    """ "+0.024 [+0.005, +0.045]": a difference with its interval."""
    return f"{value:+.3f} [{low:+.3f}, {high:+.3f}]"


def p_value(value: float | None) -> str:
    """ ".012", "<.001"; "-" where there is none."""
    if value is None or value != value:
        return UNDEFINED
    return "<.001" if value < 0.001 else f"{value:.3f}".removeprefix("0")


def plural(count: int, what: str) -> str:
    """ "1 image", "1,234 images"."""
    return f"{count:,} {what}{'' if count == 1 else 's'}"
