"""One engine a file: audio in, segments out. Files with a leading underscore are shared help."""
