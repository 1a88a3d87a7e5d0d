"""One file a board, declarations only."""
