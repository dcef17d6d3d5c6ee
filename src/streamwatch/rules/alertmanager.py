"""The file of Alertmanager: who is told of what, what is grouped, what mutes what."""

from streamwatch.domain.refusals import STAGES
from streamwatch.domain.settings import Settings
from streamwatch.rules.alert import PLATFORM, Tree

CONFIGURATION = "alertmanager.yml"
ROUTE_TESTS = "routes-test.sh"

FIXED = ("page", "ticket", "client", "platform-page", "platform-ticket", "watchdog", "nobody")
"""Receivers that always exist; further ones are the stages that have an owner."""

_SHOP_ALERTS = "Shop.+"
_MUTED = f'alertname=~"{_SHOP_ALERTS}"'


def alertmanager_configuration(settings: Settings, wait: str | None = None) -> Tree:
    """The configuration; a receiver without an address shows on Alertmanager's page only.

    Args:
        settings: the configuration.
        wait: replaces how long a group waits before it is told, and told of changes; for
            trying things out.
    """
    addresses = settings.alerting.receivers
    owners = stage_owners(settings)
    return {
        "route": {
            "receiver": "ticket",
            "group_by": ["alertname", "event_type", "kpi", "direction"],
            "group_wait": wait or "30s",
            "group_interval": wait or "5m",
            "repeat_interval": "12h",
            "routes": [
                _route("watchdog", 'alertname="StreamwatchWatchdog"', repeat_interval="5m"),
                _route("nobody", 'severity="info"'),
                {
                    **_route("platform-ticket", f'origin="{PLATFORM}"'),
                    "routes": [_page("platform-page", wait)],
                },
                *(_route(stage, f'origin="{stage}"') for stage in owners),
                _page("page", wait),
                _route("client", 'origin="client"'),
            ],
        },
        "inhibit_rules": _inhibitions(),
        "receivers": [_receiver(name, addresses.get(name)) for name in (*FIXED, *owners)],
    }


def stage_owners(settings: Settings) -> list[str]:
    """The stages that have a receiver of their own."""
    return [name for name in settings.alerting.receivers if name not in FIXED]


def _route(receiver: str, matcher: str, **more: str) -> Tree:
    return {"receiver": receiver, "matchers": [matcher], **more}


def _page(receiver: str, wait: str | None) -> Tree:
    return _route(receiver, 'severity="page"', group_wait=wait or "10s", repeat_interval="1h")


def _receiver(name: str, address: str | None) -> Tree:
    if not address:
        return {"name": name}
    return {"name": name, "webhook_configs": [{"url": address, "send_resolved": True}]}


def _inhibitions() -> list[Tree]:
    """What is known by a louder alert already; the label names must be equal."""
    return [
        {
            "source_matchers": ['alertname="PipelineDeparture"'],
            "target_matchers": [_MUTED],
            "equal": ["event_type", "kpi", "direction"],
        },
        {
            "source_matchers": ['alertname="ShopStageFault"'],
            "target_matchers": [_MUTED, 'alertname!="ShopStageFault"'],
            "equal": ["shop", "event_type", "kpi"],
        },
        {
            "source_matchers": ['alertname="ShopSilent"'],
            "target_matchers": [_MUTED, 'alertname!="ShopSilent"'],
            "equal": ["shop", "event_type"],
        },
        {
            "source_matchers": [
                'alertname=~"StreamwatchNoWorker|StreamwatchDatabaseDown|StreamwatchStandsStill"'
            ],
            "target_matchers": ['alertname="ShopSilent"'],
            "equal": [],
        },
        {
            "source_matchers": ['alertname="StreamwatchDatabaseDown"'],
            "target_matchers": [
                (
                    'alertname=~"StreamwatchLagGrows|StreamwatchStandsStill|StreamwatchHeartbeatsStand'
                    '|StreamwatchNotReady|StreamwatchFlushSlow"'
                )
            ],
            "equal": [],
        },
    ]


def route_examples(settings: Settings) -> list[tuple[dict[str, str], str]]:
    """Labels of an alert → the receiver that must get it."""
    owned = {stage: stage for stage in stage_owners(settings)}
    examples: list[tuple[dict[str, str], str]] = [
        (_alert("StreamwatchWatchdog", "none", PLATFORM), "watchdog"),
        (_alert("StreamwatchDatabaseDown", "page", PLATFORM), "platform-page"),
        (_alert("PipelineDeparture", "page", PLATFORM), "platform-page"),
        (_alert("StreamwatchGaps", "ticket", PLATFORM), "platform-ticket"),
        (_alert("ShopSilent", "page", "client"), "page"),
        (_alert("ShopMeanDeparted", "ticket", "client"), "client"),
        (_alert("ShopMeanDeparted", "ticket", "undetermined"), "ticket"),
        (_alert("ShopSegmentDeparted", "info", "client"), "nobody"),
    ]
    examples += [
        (_alert("ShopStageFault", "page", stage), owned.get(stage, "page"))
        for stage in (*STAGES, *(stage for stage in owned if stage not in STAGES))
    ]
    return examples


def route_tests(settings: Settings) -> str:
    """A shell script that asks amtool where each example goes."""
    lines = [
        "#!/bin/sh",
        "# Generated by `streamwatch rules alertmanager`: does each alert reach the right people?",
        "set -eu",
        'cd "$(dirname "$0")"',
    ]
    for labels, receiver in route_examples(settings):
        told = " ".join(f"{name}={value}" for name, value in labels.items())
        lines.append(
            f"amtool config routes test --config.file={CONFIGURATION} "
            f"--verify.receivers={receiver} {told}"
        )
    return "\n".join(lines) + "\n"


def _alert(name: str, severity: str, origin: str) -> dict[str, str]:
    return {"alertname": name, "severity": severity, "origin": origin}
