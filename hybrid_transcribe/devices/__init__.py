"""Where models run: is there a GPU that really computes, and what to do when it does not."""
