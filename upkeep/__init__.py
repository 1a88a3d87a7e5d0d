"""The hands: what a machine of the town is made of, and how it is looked after; Ansible's roles write what is here."""
