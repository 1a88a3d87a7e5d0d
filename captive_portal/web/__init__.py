"""The portal's pages and API: a Flask application."""
