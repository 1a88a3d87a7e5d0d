"""Links between the dashboards: down a level, with the reader's choices and the time shown."""

from grafana_foundation_sdk.models import dashboard

from dashboards.catalogue import by_uid
from dashboards.panel import Board, Panel
from dashboards.words import Language, Words

TAG = "wifi"
OTHERS = Words("Autres tableaux", "Other dashboards")
KEPT = "${__url_time_range}&${ds:queryparam}"
CHOOSES = {
    "site": ("site",),
    "device": ("borne",),
    "band": ("bande",),
    "uplink": ("lien",),
    "target": ("lien",),
    "subject": ("lien", "borne"),
}
"""Label -> the variables it may choose on the board a link leads to; the first that the board has."""


def menu(language: Language) -> dashboard.DashboardLink:
    """The drop-down of all our dashboards, which keeps choices and time."""
    return dashboard.DashboardLink(
        title=OTHERS.said(language),
        type_val=dashboard.DashboardLinkType.DASHBOARDS,
        tags=[TAG],
        as_dropdown=True,
        include_vars=True,
        keep_time=True,
        icon="external link",
    )


def panel_link(uid: str, board: Board, language: Language) -> dashboard.DashboardLink:
    """The link in a panel's head to the board *uid*, with the choices of *board*."""
    chosen = [f"${{{variable.name}:queryparam}}" for variable in board.variables]
    url = f"/d/{uid}?{'&'.join([KEPT, *chosen])}"
    return dashboard.DashboardLink(
        title=by_uid()[uid].title.said(language), type_val=dashboard.DashboardLinkType.LINK, url=url, target_blank=False
    )


def data_link(panel: Panel, board: Board, language: Language) -> dashboard.DashboardLink | None:
    """The link from one line or row of *panel*, with what it is about; None where the panel leads nowhere."""
    if not panel.link:
        return None
    known = {variable.name for variable in by_uid()[panel.link].variables}
    choices = ((label, next((name for name in CHOOSES.get(label, ()) if name in known), "")) for label in panel.labels)
    told = {name: label for label, name in choices if name}
    chosen = [f"${{{variable.name}:queryparam}}" for variable in board.variables if variable.name not in told]
    chosen += [f"var-{name}={_value(panel, label, language)}" for name, label in told.items()]
    url = f"/d/{panel.link}?{'&'.join([KEPT, *chosen])}"
    return dashboard.DashboardLink(
        title=by_uid()[panel.link].title.said(language), type_val=dashboard.DashboardLinkType.LINK, url=url
    )


def _value(panel: Panel, label: str, language: Language) -> str:
    if panel.kind == "table":
        return f'${{__data.fields["{panel.keys[label].said(language)}"]:percentencode}}'
    return f"${{__field.labels.{label}:percentencode}}"
