"""What becomes of a column of a table: a part of a problem, by its values, their number and what they tell."""

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from trainer import times
from trainer.analysis.column import NUMBER, TEXT, WHOLE
from trainer.analysis.findings import is_row_number, is_unique, stand_ins
from trainer.suggestion import amounts, forms, texts
from trainer.suggestion.given import TELLS, Array, Given
from trainer.suggestion.part import LeftOut, Part
from trainer.suggestion.python import written
from trainer.terminal import listed

_VALUES = 5000
"""The most frequent values by which dates are known."""


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
    what = "lists of numbers" if given.column.is_bag else given.column.kind
    return LeftOut(given.column.name, f"it holds {what}, of which nothing is made.")


def _nothing(given: Given) -> LeftOut | None:
    column = given.column
    if column.facts.unread and not column.count:
        return LeftOut(column.name, f"it holds {column.facts.unread}, of which nothing is made.")
    if not column.count:
        return LeftOut(column.name, "it has no value in any row.")
    if column.kind == NUMBER and column.facts.least is None:
        return LeftOut(column.name, "it has no finite number.")
    if column.different == 1 and (not column.missing or given.told(given.by_value).bits < TELLS):
        value = column.texts(1)[0] if column.has_vocabulary else column.facts.least
        return LeftOut(column.name, f"it is always {value}" + (" or missing." if column.missing else "."))
    return None


def _time(given: Given) -> Part | LeftOut | None:
    column, facts = given.column, given.column.facts
    if column.is_bag:
        return None
    stands = [text for text, _ in stand_ins(column)]
    if column.kind == TEXT:
        found = forms.of_texts([text for text in column.texts(_VALUES) if text not in stands])
    elif column.kind == WHOLE and facts.least is not None and facts.greatest is not None:
        found = forms.of_numbers(column.name, facts.least, facts.greatest)
    else:
        return None
    if found is None:
        return None
    if len(found.forms) > 1:
        told_forms = listed([f"'{form}'" for form in found.forms])
        return LeftOut(column.name, f"it holds dates in several forms, {told_forms}; write them in one.")
    return _day_and_hour(given, found, stands)


def _day_and_hour(given: Given, found: forms.Found, stands: list[str]) -> Part | LeftOut:
    form, variable, key = found.forms[0], given.variable, given.column.name
    rows = f"rows[{written(key)}]"
    read = f'np.where(np.isin({rows}, {written(stands)}), "", {rows})' if stands else rows
    texts_of_times = pc.if_else(pc.is_in(given.texts, pa.array(stands, pa.string())), "", given.texts)
    try:
        codes = _hours_of_week(texts_of_times, form, found.has_hours)
    except ValueError as error:
        return LeftOut(key, f"it holds dates as '{form}' and what is none ({error}); write them in one form.")
    other = f"; they could be '{found.other}' too" if found.other else ""
    other += f"; {listed(stands)} for a missing one" if stands else ""
    day_feature = given.names.feature(f"{key}_day")
    day = f"fc.categorical_column_with_vocabulary_list({written(day_feature)}, times.DAYS)"
    before, made = (f"{variable} = times.read({read}, {written(form)})",), {day_feature: f"{variable}.day"}
    if not found.has_hours:
        reason = f"dates as '{form}'{other}: the day of the week."
        name = given.names.variable(f"{key}_day")
        return Part(key, name, day, reason, codes, 8, made, before, is_crossable=False)
    hour_feature = given.names.feature(f"{key}_hour")
    reason = f"times as '{form}'{other}: the hours of the week, each with a row of its own."
    hour = f"fc.categorical_column_with_identity({written(hour_feature)}, 24)"
    cross, name = f"fc.crossed_column([{day}, {hour}])", given.names.variable(f"{key}_day_hour")
    made[hour_feature] = f"{variable}.hour"
    return Part(key, name, cross, reason, codes, 169, made, before, is_crossable=False)


def _hours_of_week(texts_of_times: Any, form: str, has_hours: bool) -> Array:
    found = times.read(texts_of_times.to_numpy(zero_copy_only=False), form)
    days = np.array([["", *times.DAYS].index(day) for day in found.day], np.int64)
    return np.where(days > 0, 1 + 24 * (days - 1) + found.hour, 0) if has_hours else days


def _row_number(given: Given) -> LeftOut | None:
    facts = given.column.facts
    if not is_row_number(given.column):
        return None
    return LeftOut(given.column.name, f"it numbers the rows, from {facts.least:,} to {facts.greatest:,}.")


def _unique(given: Given) -> LeftOut | None:
    column = given.column
    if not is_unique(column):
        return None
    is_amount = column.kind == WHOLE and not amounts.is_code(column.name)
    if is_amount and given.told(given.by_range(amounts.RANGES)).bits > TELLS:
        return None
    reason = f"nearly each row has its own of {column.different:,} values, which tells nothing of others."
    return LeftOut(column.name, reason)
