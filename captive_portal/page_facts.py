"""What the pages say, read out of the town's description; the pages' own process then needs no inventory."""

import json

from captive_portal.accessibility import parse
from captive_portal.branding import logo, own_terms, wording
from captive_portal.web.facts import Call, Facts, Kept, Responsible, Said, Service
from captive_portal.web.notice import fields
from captive_portal.web.terms import versions, wrong_with
from parvis.data_inventory import Kind, data_inventory
from parvis.inventory import PortalPolicy, Site, Town
from parvis.kept import SECONDS_A_DAY
from parvis.settings import SettingsError


def page_facts(town: Town, site: Site) -> Facts:
    """The facts of *site*'s pages; SettingsError when there is no text of the terms' version, or a bad one."""
    policy = town.policy(site)
    own = town.portal_files
    facts = Facts(
        host=policy.host,
        town=town.title.by_language(),
        site=site.site,
        title=site.title.by_language(),
        email=town.contact.email,
        phone=town.contact.phone,
        timezone=town.timezone,
        terms_version=policy.terms_version,
        session=policy.session,
        rate_down=policy.rate_down,
        rate_up=policy.rate_up,
        languages=list(town.languages),
        hours=site.opening_hours,
        keeps_hours=policy.hours != "always",
        radio_hours=site.radio_hours or "",
        network_name=town.network_name or "",
        services=_services(town),
        emergency=[Call(title=call.title.by_language(), number=call.number) for call in town.emergency],
        news=town.news.by_language() if town.news else None,
        look=town.appearance.model_dump(),
        legal=_responsible(town),
        quota=policy.quota,
        slow_down=policy.slow_down,
        max_devices=policy.max_devices,
        remember=policy.remember,
        visitor=site.visitor.text if site.visitor else "",
        logo=logo(own["logo.svg"]) if "logo.svg" in own else "",
        texts=wording(own["texts.yml"])[0] if "texts.yml" in own else {},
        own_terms=own_terms(town),
        data=_data(policy),
        audit=json.loads(json.dumps(parse(own["audit.json"]).handed())) if "audit.json" in own else None,
    )
    _complete(facts)
    return facts


def _complete(facts: Facts) -> None:
    known = versions(facts.own_terms)
    if facts.terms_version not in known:
        raise SettingsError(f"terms_version: there is no text of {facts.terms_version}; there are {', '.join(known)}")
    for name, text in facts.own_terms.items():
        why = wrong_with(text, facts, "fr")
        if why:
            raise SettingsError(f"portal/terms/{name}.html {why}")
    fields(facts, "fr", str)


def _data(policy: PortalPolicy) -> Said:
    """What the data inventory says to residents under *policy*."""
    inventory = data_inventory()
    wifi = inventory.processings["wifi"]
    shown = (kind for kind in inventory.kinds.values() if kind.when != "remember" or policy.remember)
    kinds = [_kept(kind, inventory.bases[kind.basis], policy.remember or 0.0) for kind in shown if kind.resident]
    return Said(purpose=wifi.purpose, categories=wifi.categories, recipients=wifi.recipients, kinds=kinds)


def _kept(kind: Kind, basis: str, remember: float) -> Kept:
    told = kind.resident
    seconds = remember if kind.when == "remember" else float((kind.days or 0) * SECONDS_A_DAY)
    return Kept(
        title=kind.title,
        what=told.what if told else "",
        basis=basis,
        kept=told.kept or "" if told else "",
        seconds=seconds,
    )


def _services(town: Town) -> list[Service]:
    garden = set(getattr(town, "garden", ()))
    return [
        Service(title=service.title.by_language(), url=service.url, open=service.host in garden)
        for service in town.services
    ]


def _responsible(town: Town) -> Responsible | None:
    if town.legal is None:
        return None
    told = town.legal
    return Responsible(siret=told.siret, address=told.address, director=told.director.by_language(), dpo=told.dpo)
