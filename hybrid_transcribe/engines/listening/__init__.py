"""What every local engine does around its decoder: silence, order, doubts and cancelling."""
