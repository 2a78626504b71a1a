"""The pages that people read: what they show runs, what they name is there."""
