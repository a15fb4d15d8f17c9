"""Data of all kinds as `tf.data` batches of raw features, in the order of the files; one kind a file."""
