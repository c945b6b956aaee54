"""What the gateway adds to an order, without a network."""
