"""The door: captive portal, gateway, DHCP and DNS."""
