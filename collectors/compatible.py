"""snmp_exporter's modules as profiles: their objects come from the same polls as everything else. No I/O, no clock."""

from collections.abc import Iterable
from functools import cache

from collectors.column import Column, Reading
from collectors.foreign import Group, Module, Object, modules, shown_as
from collectors.profile import SCALARS, Condition, Label, Match, Profile, Rule, Table
from collectors.written import checked

READ: dict[str, Reading] = {"float": "opaque_float", "text": "text", "address": "address"}
"""How the kinds that are no plain numbers are read."""
NUMBER = " number"
TEXT = " text"
"""Beginnings of columns that no object has: a number beside its name, a text that is only a label."""


class UnknownModule(ValueError):
    """The settings or a request name a module there is none of."""


def chosen(names: Iterable[str]) -> tuple[Profile, ...]:
    """The profiles of the modules called *names*, each metric in the first that has it; UnknownModule for another."""
    given: set[str] = set()
    made = []
    for name in dict.fromkeys(names):
        if name not in modules():
            raise UnknownModule(f"no module is called {name!r}; there are {', '.join(modules())}")
        made.append(checked(_profile(modules()[name], given)))
    return tuple(made)


def fitting(name: str) -> str:
    """What the profile of the module called *name* is called.

    >>> fitting("if_mib")
    'compatible_if_mib'
    """
    return f"compatible_{name}"


@cache
def metrics(name: str) -> frozenset[str]:
    """The metrics of the module called *name*."""
    groups = modules()[name].groups.values()
    return frozenset(shown_as(each, shown) for group in groups for each, shown in group.everything.items())


def _profile(module: Module, given: set[str]) -> Profile:
    scalars: dict[str, Column] = {}
    tables: dict[str, Table] = {}
    rules: list[Rule] = []
    for name, group in module.groups.items():
        new = {each: shown for each, shown in group.everything.items() if shown_as(each, shown) not in given}
        given |= {shown_as(each, shown) for each, shown in new.items()}
        if group.index or group.lookups:
            tables[f"compatible_{name}"] = Table(oid=group.oid, columns=_columns(group, new))
        else:
            scalars |= {each: _scalar(group, shown) for each, shown in new.items()}
        table = f"compatible_{name}" if f"compatible_{name}" in tables else SCALARS
        rules += [_rule(group, table, each, shown) for each, shown in new.items()]
    return Profile(
        profile=fitting(module.module),
        title=module.title,
        layer="base",
        match=(Match(probe=module.probe),),
        scalars=scalars,
        tables=tables,
        metrics=tuple(rules),
    )


def _columns(group: Group, objects: dict[str, Object]) -> dict[str, Column]:
    found = {name: _column(shown) for name, shown in objects.items()}
    numbered = {name: shown for name, shown in objects.items() if shown.kind == "info"}
    found |= {NUMBER + name: Column(arc=shown.arc, oid=shown.oid, read="text") for name, shown in numbered.items()}
    return found | {
        TEXT + name: Column(arc=shown.arc, oid=shown.oid, read="text", every="slow")
        for name, shown in group.lookups.items()
    }


def _column(shown: Object) -> Column:
    return Column(arc=shown.arc, oid=shown.oid, read=READ.get(shown.kind, "number"), names=shown.names)


def _scalar(group: Group, shown: Object) -> Column:
    return Column(oid=shown.oid or f"{group.oid}.{shown.arc}.0", read=READ.get(shown.kind, "number"))


def _rule(group: Group, table: str, name: str, shown: Object) -> Rule:
    """Texts are 1 with the text as a label; a number no name is known for is told as a number."""
    labels: dict[str, tuple[Label, ...]] = {label: (Label(column=TEXT + label),) for label in group.lookups}
    if group.index:
        labels[group.index] = (Label(dotted=True),)
    if shown.kind == "info":
        labels[name] = (Label(column=name), Label(column=NUMBER + name))
        return Rule(metric=shown_as(name, shown), table=table, labels=labels, where=_present(NUMBER + name))
    if shown.kind in {"text", "address"}:
        labels[name] = (Label(column=name),)
        return Rule(metric=name, table=table, labels=labels, where=_present(name))
    return Rule(metric=name, table=table, value=(name,), labels=labels)


def _present(column: str) -> dict[str, Condition]:
    return {column: Condition(matches="^")}
