"""What the collectors know, read from the files that come with them: catalogue, modules, profiles, kinds of traps."""

from collectors import compatible, foreign, written
from collectors.known import Known
from collectors.traps.kinds import kinds
from parvis import catalogue
from parvis.processes import COLLECTORS
from parvis.vitals import DEFINITIONS


def everything() -> Known:
    """All of it; an error of the file's reader when one is wrong."""
    ours = catalogue.metrics()
    theirs = {name: definition for name, definition in foreign.definitions().items() if name not in ours}
    own = catalogue.definitions(COLLECTORS.name)
    return Known(
        metrics={each.name: each for each in (*own, *theirs.values(), *DEFINITIONS)},
        modules={name: compatible.metrics(name) for name in foreign.modules()},
        foreign=frozenset(theirs),
        announced=tuple(definition.name for definition in own),
        profiles=written.profiles(),
        kinds=kinds(),
    )
