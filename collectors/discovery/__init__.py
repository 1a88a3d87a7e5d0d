"""Finding agents in given networks and writing them down as inventory to review."""
