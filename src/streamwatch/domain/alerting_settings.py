"""What ``streamwatch.yaml`` says of whom to tell: rules, webhook, pages, Alertmanager."""

import msgspec


class AlertingSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What `streamwatch rules` writes into the files of Prometheus, Alertmanager and Grafana.

    Attributes:
        targets: the workers' addresses for Prometheus; empty stands for the one of
            ``metrics_host`` and ``metrics_port``.
        grafana: Grafana's own address, for links to dashboards.
        prometheus: Prometheus's address for Grafana.
        pages: where `streamwatch web` is reached, for links to incidents.
        runbooks: where the runbooks are served; an alert's is ``<runbooks>/<alert name>.md``.
        pipeline_shops, pipeline_share: so many shops, and such a share of the shops, depart
            in the same KPI and direction at once: the pipeline is the likely cause.
        lag: records behind that alert when they do not become fewer.
        receivers: ``page``, ``ticket``, ``client``, ``platform-page``, ``platform-ticket``,
            ``watchdog`` or the name of a stage → the webhook that is told.
    """

    targets: tuple[str, ...] = ()
    grafana: str = "http://127.0.0.1:3000"
    prometheus: str = "http://127.0.0.1:9090"
    pages: str = "http://127.0.0.1:8080"
    runbooks: str = "http://127.0.0.1:8080/runbooks"
    pipeline_shops: int = 3
    pipeline_share: float = 0.2
    lag: int = 50_000
    receivers: dict[str, str] = {}


class WebhookSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where the worker that runs FLEET posts incidents, as CloudEvents; no address, no posts.

    Attributes:
        timeout: how long one post may take, milliseconds.
    """

    url: str = ""
    timeout: int = 10_000


class WebSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where `streamwatch web` listens, and who may see and acknowledge.

    Attributes:
        host, port: where it listens; 0 for any free port. Beyond this machine it needs a
            token or ``user_header``.
        hosts: names under which browsers reach it, besides ``host`` and this machine's own.
        user_header: the header in which a reverse proxy names the user; empty for none.
        proxies: the proxies' addresses; the header is believed from these only.
        writers: the users that may acknowledge.
    """

    host: str = "127.0.0.1"
    port: int = 8080
    hosts: tuple[str, ...] = ()
    user_header: str = ""
    proxies: tuple[str, ...] = ("127.0.0.1", "::1")
    writers: tuple[str, ...] = ()


class AlertmanagerSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The Alertmanager that Prometheus sends alerts to, and that acknowledgements silence.

    Attributes:
        url: its address; if it is empty, nothing is silenced, and Prometheus looks for it at its
            usual address on the same machine.
        silence: how long a silence lasts unless `streamwatch web` renews it, milliseconds.
    """

    url: str = ""
    silence: int = 86_400_000
