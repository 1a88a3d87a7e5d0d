"""What staff may ask of one site and order there, over HTTPS from the centre's network. Devices go by today's codes."""
