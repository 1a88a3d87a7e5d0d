"""What the values of labels are called: on a French board a reader meets no word of the code's."""

from collections.abc import Mapping

from dashboards.words import Words

Spoken = Mapping[str, Words]
"""Value of a label -> what a reader calls it."""

INCIDENT_STATES: Spoken = {
    "open": Words("personne encore", "nobody yet"),
    "acknowledged": Words("pris en charge", "taken"),
    "snoozed": Words("reporté au matin", "put off until morning"),
    "resolved": Words("terminé", "over"),
}
ERRORS: Spoken = {
    "gateway": Words("gatewayd ne répond pas", "gatewayd does not answer"),
    "store": Words("rien ne s'enregistre", "nothing can be stored"),
    "ours": Words("faute du portail", "the portal's fault"),
    "request": Words("demande incorrecte", "wrong request"),
    "unknown": Words("appareil inconnu", "unknown device"),
}
ACCEPTANCES: Spoken = {
    "admitted": Words("admis", "admitted"),
    "waiting": Words("en attente de gatewayd", "waiting for gatewayd"),
    "again": Words("déjà admis", "admitted before"),
    "replayed": Words("envoyé deux fois", "sent twice"),
    "refused": Words("formulaire refusé", "form refused"),
    "unknown": Words("appareil introuvable", "device not found"),
    "failed": Words("non enregistré", "not stored"),
    "visitor": Words("visiteur de test", "test visitor"),
}
REFUSALS: Spoken = {
    "closed-hours": Words("hors des horaires", "outside the hours"),
    "closed-by-staff": Words("site fermé par un agent", "site closed by staff"),
    "full": Words("site plein", "site full"),
    "blocked": Words("bloqué par un agent", "blocked by staff"),
}
ENDS: Spoken = {
    "left": Words("par le bouton", "by the button"),
    "expired": Words("durée écoulée", "time was up"),
    "idle": Words("plus aucun échange", "no traffic any more"),
    "revoked": Words("retirée par un agent", "taken by staff"),
    "closed": Words("site fermé", "site closed"),
}
VISITOR_STEPS: Spoken = {
    "lease": Words("bail DHCP", "DHCP lease"),
    "addresses": Words("adresses", "addresses"),
    "dns": Words("noms (DNS)", "names (DNS)"),
    "api-captive": Words("API : captif", "API: captive"),
    "page": Words("page d'accueil", "splash page"),
    "accept": Words("acceptation", "acceptance"),
    "api-online": Words("API : en ligne", "API: online"),
    "internet-ipv4": Words("internet en IPv4", "internet over IPv4"),
    "internet-ipv6": Words("internet en IPv6", "internet over IPv6"),
    "leave": Words("départ", "leaving"),
    "captive-again": Words("captif à nouveau", "captive again"),
}
REFUSED_ALERTS: Spoken = {
    "garbage": Words("illisible", "unreadable"),
    "stranger": Words("expéditeur inconnu", "unknown sender"),
    "storage": Words("non enregistrée", "not stored"),
    "too_large": Words("trop longue", "too long"),
    "unproven": Words("fin non prouvée", "end not proved"),
}
REPLIES: Spoken = {
    "done": Words("fait", "done"),
    "unclear": Words("pas compris", "not understood"),
    "too-late": Words("trop tard", "too late"),
    "stranger": Words("numéro inconnu", "unknown number"),
}
DUTIES: Spoken = {
    "pictogram": Words("pictogramme à l'entrée", "sign at the entrance"),
    "school-council": Words("conseil d'école informé", "school council told"),
    "location": Words("position (données ouvertes)", "location (open data)"),
}
