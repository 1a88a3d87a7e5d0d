"""What a machine of the town gets of Debian's."""

from parvis.inventory import Town
from parvis.inventory.people import VoiceChannel
from upkeep.delivered import TELEPHONE, packages


def test_only_the_centre_of_a_town_that_calls_by_telephone_gets_what_speaks(town: Town) -> None:
    line = VoiceChannel(name="telephone", kind="sip", account="sip:parvis@operateur.example", secret="ligne")
    calling = town.model_copy(update={"channels": (*town.channels, line)})

    assert set(TELEPHONE) <= set(packages("centre", calling))
    assert not set(TELEPHONE) & {*packages("centre", town), *packages("gateway", calling)}
