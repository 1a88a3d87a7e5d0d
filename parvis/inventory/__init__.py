"""The town's description: ``load(folder)`` gives a Town, or every fault at once with file, path and line."""

from importlib.resources import files
from pathlib import Path

from parvis.inventory.clear_text import ClearText, in_clear_text
from parvis.inventory.contracts import Line, Penalty, Sla, WorkingHours
from parvis.inventory.load import InventoryError, examine, load
from parvis.inventory.model import (
    AccessPoint,
    Centre,
    Gateway,
    GuestNetwork,
    KnownDevice,
    PortalPolicy,
    Site,
    Switch,
    Town,
    Uplink,
    Vendor,
)
from parvis.inventory.people import Absence, Channel, Level, Person, Rota, Swap
from parvis.inventory.places import OpenData
from parvis.inventory.planned import Maintenance, Ups
from parvis.inventory.snmp import CommunityCredential, Snmp, UserCredential
from parvis.inventory.wording import Appearance, EmergencyNumber, Legal, OnlineService, Text
from parvis.inventory.yaml_lines import Fault

DEMO_TOWN = Path(str(files("parvis") / "town"))
"""The demo town's folder: documentation, test fixture and default in one."""

__all__ = [
    "DEMO_TOWN",
    "Absence",
    "AccessPoint",
    "Appearance",
    "Centre",
    "Channel",
    "ClearText",
    "CommunityCredential",
    "EmergencyNumber",
    "Fault",
    "Gateway",
    "GuestNetwork",
    "InventoryError",
    "KnownDevice",
    "Legal",
    "Level",
    "Line",
    "Maintenance",
    "OnlineService",
    "OpenData",
    "Penalty",
    "Person",
    "PortalPolicy",
    "Rota",
    "Site",
    "Sla",
    "Snmp",
    "Swap",
    "Switch",
    "Text",
    "Town",
    "Uplink",
    "Ups",
    "UserCredential",
    "Vendor",
    "WorkingHours",
    "examine",
    "in_clear_text",
    "load",
]
