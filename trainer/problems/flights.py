"""Late departures from New York, from the day and hour of the week, the airline, the plane and the route."""

from functools import partial

from trainer import feature_column as fc
from trainer.heads import BinaryHead
from trainer.problem import EveryNthBlock, Problem, Range

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
CARRIERS = ("UA", "B6", "EV", "DL", "AA", "MQ", "US", "9E", "WN", "VX", "FL", "AS", "F9", "YV", "HA", "OO")

day = fc.categorical_column_with_vocabulary_list("day", DAYS)
hour = fc.categorical_column_with_identity("hour", 24)
carrier = fc.categorical_column_with_vocabulary_list("carrier", CARRIERS)
origin = fc.categorical_column_with_vocabulary_list("origin", ("EWR", "JFK", "LGA"))
flight = fc.categorical_column_with_identity("flight", 10_000)
dest = fc.categorical_column_with_hash_bucket("dest", 1000)
tailnum = fc.categorical_column_with_hash_bucket("tailnum", 4096)
distance = fc.numeric_column("distance", normalizer_fn=lambda miles: miles / 1000 - 1)
distances = fc.bucketized_column(fc.numeric_column("distance"), (200, 300, 500, 750, 1000, 1250, 1500, 2000, 2500))

# The month is left out: what is learned of one month says nothing of another, and takes from what all have in common.
# Small random rows, rather than the default's, keep pairs that are rarely seen close to each other.
embedding = partial(fc.embedding_column, dimension=16, initializer="uniform")

PROBLEM = Problem(
    dataset="nyc_flights",
    dnn_feature_columns=(
        embedding(fc.crossed_column([day, hour]), name="day_hour"),
        embedding(fc.crossed_column([carrier, hour]), name="carrier_hour"),
        embedding(fc.crossed_column([origin, hour]), name="origin_hour"),
        *map(embedding, (day, hour, carrier, origin, dest)),
        distance,
    ),
    linear_feature_columns=(
        distances,
        tailnum,
        fc.crossed_column([carrier, flight], 8192),
        fc.crossed_column([carrier, flight, "dest"], 16384),
    ),
    dnn_hidden_units=(64, 32),
    label="late",
    head=BinaryHead(),
    dnn_optimizer="LazyAdam",
    learning_rate=0.003,
    learning_rate_decay="linear",
    linear_optimizer="Ftrl",
    linear_learning_rate=2.0,
    validation=EveryNthBlock("day", 10),
    num_epochs=5,
    train_batch_size=2048,
    search={
        "learning_rate": Range(3e-4, 3e-2, scale="log"),
        "train_batch_size": (512, 1024, 2048, 4096),
        "num_epochs": Range(2, 10),
        "hidden_units": ("32", "64", "64,32", "128,64"),
        **{f"dimension.{table}": (4, 8, 16, 32) for table in ("day_hour", "carrier_hour", "origin_hour")},
    },
)
