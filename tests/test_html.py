"""Tables as a notebook draws them."""

from trainer.html import html_table


def test_a_table_tells_of_the_rows_that_it_does_not_show() -> None:
    drawn = html_table("days & hours", ["", "<key>"], [["0", "Mon"], ["1", "<b>"]], 1_234)
    assert drawn == (
        "<table><caption>days &amp; hours</caption><tr><th></th><th>&lt;key&gt;</th></tr>"
        "<tr><td>0</td><td>Mon</td></tr><tr><td>1</td><td>&lt;b&gt;</td></tr>"
        '<tr><td colspan="2">… 1,232 more</td></tr></table>'
    )


def test_a_table_that_shows_all_rows_ends_with_the_last() -> None:
    assert html_table("", ["key"], iter([["Mon"]]), 1).endswith("<tr><td>Mon</td></tr></table>")
