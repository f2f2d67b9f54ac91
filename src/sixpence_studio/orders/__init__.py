"""From an order to a made picture: read the order, run the job in a worker process."""
