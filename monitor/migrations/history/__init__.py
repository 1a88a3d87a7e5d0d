"""The history's file: its migrations."""
