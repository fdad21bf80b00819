"""Every answer by the name that the standards' tables use: a function of an experiment's facts."""

from __future__ import annotations

from pneumobench.comparison.checklist import evaluated, images, models

ANSWERS = {answer.__name__: answer for answer in (*images.ANSWERS, *models.ANSWERS, *evaluated.ANSWERS)}
