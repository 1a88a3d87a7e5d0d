"""Firefox: its captive detector. System resolver, nothing followed, HSTS ignored; 5 s, five retries."""

from captive_portal.probes import first_of
from client_models.seeing import Seen, State, Verdict, Web

PROBE = first_of("firefox")
RETRIES = 5


def decide(answers: list[Seen]) -> Verdict:
    """What the answers of one try and its retries mean: the first that says something decides."""
    for seen in answers:
        if PROBE.online(seen.status, seen.body):
            return Verdict(State.ONLINE)
        if 300 <= seen.status <= 399 or seen.status == 511 or (seen.status == 200 and seen.body):
            return Verdict(State.PORTAL, seen.location or PROBE.url)
    return Verdict(State.OFFLINE)


def look(web: Web, api: str = "") -> Verdict:
    """One check with its retries."""
    del api
    answers: list[Seen] = []
    while len(answers) <= RETRIES and decide(answers).state is State.OFFLINE:
        answers.append(web.get(PROBE.url, User_Agent="Mozilla/5.0 Firefox/128.0", Cache_Control="no-cache"))
    return decide(answers)
