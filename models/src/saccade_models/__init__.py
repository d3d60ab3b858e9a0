"""Makes what the server serves: data sets, networks, training, evaluation, export."""
