"""Whatever is sent to a site's management API is an answer or a refusal in words, with the token and without."""

import json
from collections.abc import Iterator

import pytest
from flask.testing import FlaskClient
from house import House
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from staff import TOKEN, desk_of

from captive_portal.management.api import create_api
from parvis.inventory import Town

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
)
bodies = st.dictionaries(
    st.sampled_from(["kind", "by", "reason", "fr", "en", "seconds", "x"]),
    json_values | st.sampled_from(["closed", "open-door", "banner", "block", 60, 1e308, -1, True]),
    max_size=6,
).map(lambda said: json.dumps(said).encode()) | st.binary(max_size=60)
paths = st.sampled_from(
    [
        "/v1/site",
        "/v1/sessions?after=9&limit=-1",
        "/v1/sessions?after=99999999999999999999",
        "/v1/figures?days=0",
        "/v1/devices/K7F-2QD",
        "/v1/devices/K7F-2QD/block",
        "/v1/devices/K7F-2QD/disconnect",
        "/v1/disconnect-all",
        "/v1/orders",
        "/v1/orders/1/end",
        "/v1/orders/99999999999999999999/end",
    ]
) | st.text(st.characters(exclude_categories=["Cs"]), max_size=20).map(lambda text: f"/v1/{text}")


@pytest.fixture(scope="module")
def desk(town: Town, tmp_path_factory: pytest.TempPathFactory) -> Iterator[FlaskClient]:
    house = House(town, tmp_path_factory.mktemp("desk"))
    with house.doorkeeper:
        yield create_api(desk_of(house), TOKEN, house.instruments).test_client()


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(["GET", "POST"]), paths, bodies)
def test_r52_r28_the_management_api_has_an_answer_for_anything(
    desk: FlaskClient, method: str, path: str, body: bytes
) -> None:
    shown = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}

    answer = desk.open(path, method=method, data=body, headers=shown)

    assert answer.status_code < 500, (method, path, body, answer.text)
    assert answer.status_code < 300 or path == "/v1/" or "error" in (answer.json or {}), answer.text


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(paths, st.text(st.characters(min_codepoint=32, max_codepoint=255), max_size=60))
def test_r52_without_the_token_nothing_is_answered(desk: FlaskClient, path: str, shown: str) -> None:
    for headers in ({}, {"Authorization": shown}, {"Authorization": f"Bearer {TOKEN[:-1]}"}):
        assert desk.post(path, data=b"{}", headers=headers).status_code == 401, path
