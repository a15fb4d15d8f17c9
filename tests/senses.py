"""Words of descriptions of homes by their sense, written down before any table was looked at."""

_WORDS = """
size: spacious large huge big massive roomy bedrooms 3br duplex townhouse house family
comfort: luxury luxurious elegant stylish modern designer chic renovated doorman gym terrace rooftop
place: manhattan midtown downtown soho tribeca chelsea village nolita gramercy flatiron central heart
smallness: small tiny little mini cozy single room bed shared twin simple studio
"""

SENSES = {sense: words.split() for sense, words in (line.split(":") for line in _WORDS.strip().splitlines())}
"""By sense: size, what is fine, the middle of Manhattan, and what is small or simple."""
