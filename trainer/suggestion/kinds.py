"""What becomes of a column of a table: a part of a problem, by its values, their number and what they tell."""

from typing import Any

import numpy as np

from trainer import times
from trainer.analysis.column import TEXT, WHOLE
from trainer.analysis.findings import is_row_number, is_unique
from trainer.suggestion import amounts, forms, texts
from trainer.suggestion.given import TELLS, Array, Given
from trainer.suggestion.part import LeftOut, Part
from trainer.suggestion.python import written
from trainer.terminal import listed


def becomes(given: Given) -> Part | LeftOut:
    """Returns what becomes of a column that is not the label."""
    kinds = (
        *(_nothing, _time, _row_number, texts.words, texts.bag, amounts.with_stand_ins, _unique),
        *(texts.values, amounts.small, amounts.codes, amounts.ranges),
    )
    for kind in kinds:
        found = kind(given)
        if found is not None:
            return found
    return LeftOut(given.column.name, f"it holds {given.column.kind}, of which nothing is made.")


def _nothing(given: Given) -> LeftOut | None:
    column = given.column
    if column.facts.unread and not column.count:
        return LeftOut(column.name, f"it holds {column.facts.unread}, of which nothing is made.")
    if not column.count:
        return LeftOut(column.name, "it has no value in any row.")
    if column.different == 1 and (not column.missing or given.told(given.by_value).bits < TELLS):
        value = column.texts(1)[0] if column.has_vocabulary else column.facts.least
        return LeftOut(column.name, f"it is always {value}" + (" or missing." if column.missing else "."))
    return None


def _time(given: Given) -> Part | LeftOut | None:
    column, facts = given.column, given.column.facts
    if column.is_bag:
        return None
    if column.kind == TEXT:
        found = forms.of_texts(column.texts())
    elif column.kind == WHOLE and facts.least is not None and facts.greatest is not None:
        found = forms.of_numbers(column.name, facts.least, facts.greatest)
    else:
        return None
    if found is None:
        return None
    if len(found.forms) > 1:
        told_forms = listed([f"'{form}'" for form in found.forms])
        return LeftOut(column.name, f"it holds dates in several forms, {told_forms}; write them in one.")
    return _day_and_hour(given, found)


def _day_and_hour(given: Given, found: forms.Found) -> Part:
    form, variable, key = found.forms[0], given.variable, given.column.name
    other = f"; they could be '{found.other}' too" if found.other else ""
    day = f'fc.categorical_column_with_vocabulary_list("{variable}_day", times.DAYS)'
    before = (f"{variable} = times.read(rows[{written(key)}], {written(form)})",)
    made = {f"{variable}_day": f"{variable}.day"}
    codes = _hours_of_week(given.texts, form, found.has_hours)
    if not found.has_hours:
        reason = f"dates as '{form}'{other}: the day of the week."
        return Part(key, f"{variable}_day", day, reason, codes, 8, made, before, is_crossable=False)
    reason = f"times as '{form}'{other}: the hours of the week, each with a row of its own."
    hour = f'fc.categorical_column_with_identity("{variable}_hour", 24)'
    made[f"{variable}_hour"] = f"{variable}.hour"
    cross = f"fc.crossed_column([{day}, {hour}])"
    return Part(key, f"{variable}_day_hour", cross, reason, codes, 169, made, before, is_crossable=False)


def _hours_of_week(texts: Any, form: str, has_hours: bool) -> Array | None:
    try:
        found = times.read(texts.to_numpy(zero_copy_only=False), form)
    except ValueError:  # a rare value that is none of those that were looked at
        return None
    days = np.array([["", *times.DAYS].index(day) for day in found.day], np.int64)
    return np.where(days > 0, 1 + 24 * (days - 1) + found.hour, 0) if has_hours else days


def _row_number(given: Given) -> LeftOut | None:
    facts = given.column.facts
    if not is_row_number(given.column):
        return None
    return LeftOut(given.column.name, f"it numbers the rows, from {facts.least:,} to {facts.greatest:,}.")


def _unique(given: Given) -> LeftOut | None:
    column = given.column
    if not is_unique(column) or (column.kind == WHOLE and given.told(given.by_range(amounts.RANGES)).bits > TELLS):
        return None
    reason = f"nearly each row has its own of {column.different:,} values, which tells nothing of others."
    return LeftOut(column.name, reason)
