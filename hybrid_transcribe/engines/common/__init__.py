"""What the engines that run here share: requests, chunking, detector, filters, times."""
