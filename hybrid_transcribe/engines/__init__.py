"""Audio in, segments out: a folder for each engine, and what they share.

Every folder's ``engine.py`` has the class; ``request.py`` beside it says what our options are to
that library. `asking` reads languages and tasks, `listening` keeps order, counts doubts and
withholds inventions, `torch_device` is for the two engines that run on PyTorch.
"""
