"""Words of descriptions of homes by their sense, written down before any table was looked at."""

SENSES = {
    "size": "spacious large huge big massive roomy bedrooms 3br duplex townhouse house family".split(),
    "comfort": "luxury luxurious elegant stylish modern designer chic renovated doorman gym terrace rooftop".split(),
    "place": "manhattan midtown downtown soho tribeca chelsea village nolita gramercy flatiron central heart".split(),
    "smallness": "small tiny little mini cozy single room bed shared twin simple studio".split(),
}
"""Sizes, what is fine, places in the middle of Manhattan, and what is small or simple."""
