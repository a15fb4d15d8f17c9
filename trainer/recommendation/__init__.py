"""Using a trained retrieval: what somebody may like besides what she likes already.

from trainer.recommendation import Recommender

movies = Recommender("runs/movies")
for found in movies.recommend(["Shrek (2001)", "The Incredibles"], topn=5).found:
    print(found.rank, found.item.title, found.score)
"""

from trainer.recommendation.people import write
from trainer.recommendation.recommender import Answer, Found, Item, Liked, Lists, Recommender

__all__ = ["Answer", "Found", "Item", "Liked", "Lists", "Recommender", "write"]
