"""What the data protection officer works with: register, impact assessment, retention, journal, incidents, letters."""
