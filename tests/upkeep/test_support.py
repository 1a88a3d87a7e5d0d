"""The bundle holds what the list allows, and nothing that gives anybody away."""

import io
import json
import tarfile

from hypothesis import given
from hypothesis import strategies as st

from parvis.inventory import Town
from upkeep import support

CANARIES = (
    "02:00:5e:00:53:01",
    "10.11.0.77",
    "2001:db8:11::77",
    "anna@cachan.example",
    "+33 6 39 98 00 01",
    "s3cret-canary",
)


def test_gdp01_of_a_log_line_only_named_fields_leave() -> None:
    line = json.dumps(
        {"event": "session ended", "level": "info", "mac": CANARIES[0], "ip": CANARIES[1], "who": CANARIES[5]}
    )

    assert json.loads(support.log([line])) == {"level": "info", "event": "session ended"}


def test_gdp01_a_sentence_with_an_address_in_it_does_not_leave() -> None:
    for canary in CANARIES[:4]:
        made = support.log([json.dumps({"event": f"lost {canary}", "level": "error"})])
        assert canary not in made
        assert "(left out)" in made


@given(st.dictionaries(st.text(max_size=8), st.one_of(st.sampled_from(CANARIES), st.text(max_size=20))))
def test_gdp01_no_field_beyond_the_list_leaves_whatever_it_is_called(fields: dict[str, str]) -> None:
    made = support.log([json.dumps(fields)])

    assert set(json.loads(made or "{}")) <= set(support.LOG_FIELDS)
    assert not [canary for canary in CANARIES[:4] if canary in made]


def test_of_settings_only_known_keys_leave() -> None:
    made = json.loads(
        support.settings('site = "msp"\nport = 9201\ncertificate = "/etc/x"\nshared_database = "postgresql://x"\n')
    )

    assert made == {"site": "msp", "port": 9201}


def test_of_the_town_only_shapes_and_numbers_leave(town: Town) -> None:
    made = support.shape(town)

    for person in town.people:
        assert person.phone not in made
        assert person.email not in made
    for site in town.sites:
        assert site.site not in made
        assert str(site.gateway.address) not in made


def test_the_bundle_is_one_archive_with_one_folder() -> None:
    with tarfile.open(fileobj=io.BytesIO(support.packed({"a.txt": "x", "b/c.txt": "y"}))) as opened:
        assert opened.getnames() == ["parvis-support/a.txt", "parvis-support/b/c.txt"]
