"""What each fault does to the played town: to devices, to the visitor; and the alert that tells of it."""

from collections.abc import Mapping

from played_devices import Ailment

from collectors.device import Failed

SITE, POINT, SWITCH = "leo-lagrange", "ap-lagrange-tribune", "sw-lagrange"
LINK, GATEWAY, BATTERY = "fibre-lagrange", "gw-lagrange", "ups-lagrange"
REFUSED = Failed("credential", "the password is another one", "tell the collectors the new one")
AILMENTS: Mapping[str, tuple[str, Ailment]] = {
    "radio-dead": (POINT, Ailment("dead-radio")),
    "ap-deserted": (POINT, Ailment("zombie")),
    "ap-reboots": (POINT, Ailment("reboot", again=True)),
    "dirty-optic": (SWITCH, Ailment("dirty-optic", 60.0)),
    "no-light": (SWITCH, Ailment("no-light")),
    "mains-cut": (BATTERY, Ailment("mains-cut", 4.0)),
    "fan-dead": (SWITCH, Ailment("dead-fan")),
    "supply-dead": (SWITCH, Ailment("dead-supply")),
}
BEHIND_SWITCH = (SWITCH, POINT, "ap-lagrange-gymnase", "ap-lagrange-dojo", BATTERY)
SILENCES: Mapping[str, tuple[str, ...]] = {
    "fibre-cut": (LINK, GATEWAY, *BEHIND_SWITCH),
    "switch-silent": BEHIND_SWITCH,
    "gateway-silent": (GATEWAY,),
    "ap-silent": (POINT,),
}
ALARMS: Mapping[str, str] = {
    "ap-silent": "BorneMuette",
    "beat-lost": "SupervisionMuette",
    "centre-isolated": "SupervisionIsolee",
    "certificate-ending": "CertificatExpire",
    "collectors-dead": "CollecteurMuet",
    "dns-dead": "DNSMuet",
    "fibre-cut": "LienCoupe",
    "gateway-silent": "PasserelleMuette",
    "gatewayd-dead": "ServicePasserelleArrete",
    "internet-cut": "InternetCoupe",
    "link-flaps": "LienInstable",
    "link-loses": "LienDegrade",
    "mains-cut": "CoupureSecteur",
    "pool-full": "DHCPEpuise",
    "portal-dead": "ServicePasserelleArrete",
    "rogue-dhcp": "EquipementIndesirable",
    "rules-flushed": "PareFeuAbsent",
    "store-broken": "VisiteurTestEnEchec",
    "switch-silent": "CommutateurMuet",
    "visitor-refused": "VisiteurTestEnEchec",
}
"""What tells of a fault within minutes, by the drills; what takes half an hour or longer does not fire in a run."""
REFUSALS: Mapping[str, str] = {
    "visitor-refused": "accept",
    "dns-dead": "dns",
    "store-broken": "accept",
    "internet-cut": "internet-ipv4",
}
"""The step at which the visitor stops."""
LOST = 0.4
"""Of the echoes, where an operator's network loses them or the link falls for seconds in every minute."""
