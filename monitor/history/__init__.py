"""The monitor's own short history: two hours in memory, five-minute roll-ups for 30 days, hourly ones for two years."""
