"""Traps and informs: heard, proved, counted, never believed. What they cause is a poll of the device that sent them."""
