"""A service that shows a button beside its message gets the link that takes the call."""

from test_channels import task

from monitor.channels import apprise
from parvis.inventory.people import AppriseChannel


def test_a_service_that_shows_a_button_is_given_the_link_that_takes_the_call() -> None:
    url = "ntfy://127.0.0.1:9/astreinte?priority=max&actions=view,Prendre,{link}"
    channel = AppriseChannel(name="ntfy", kind="apprise", url=url)

    with_link = apprise._address(task(channel, link="https://x.example/a/abc="))
    assert with_link.endswith("priority=max&actions=view,Prendre,https%3A%2F%2Fx.example%2Fa%2Fabc%3D")
    assert apprise._address(task(channel)).endswith("/astreinte?priority=max")
