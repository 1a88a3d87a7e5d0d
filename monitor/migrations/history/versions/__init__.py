"""The shapes of the on-call engine's file, oldest first."""
