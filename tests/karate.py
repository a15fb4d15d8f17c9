"""A karate club that split in two: who met whom, and who stayed with whom.

Wayne Zachary, "An information flow model for conflict and fission in small groups", 1977; the factions are those of
the attribute `club` of NetworkX 3's `karate_club_graph`, which counts members from 0.
"""

_FRIENDS = """
1 2 3 4 5 6 7 8 9 11 12 13 14 18 20 22 32; 2 3 4 8 14 18 20 22 31; 3 4 8 9 10 14 28 29 33; 4 8 13 14; 5 7 11; 6 7 11 17;
7 17; 9 31 33 34; 10 34; 14 34; 15 33 34; 16 33 34; 19 33 34; 20 34; 21 33 34; 23 33 34; 24 26 28 30 33 34; 25 26 28 32;
26 32; 27 30 34; 28 34; 29 32 34; 30 33 34; 31 33 34; 32 33 34; 33 34
"""
"""Each member and the members after them that they met outside of the club."""

EDGES = [
    (member, friend) for member, *friends in map(str.split, _FRIENDS.split(";")) for friend in friends
]  # fmt: skip

OF_MR_HI = {*map(str, (1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13, 14, 17, 18, 20, 22))}
"""Who stayed with Mr. Hi, the teacher; the others went with the officer."""
