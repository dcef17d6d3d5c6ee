"""The diagnosis of an incident that a stage of ours brought in."""

from tests.unit.web.fleet_of_shops import SINCE

from streamwatch.diagnosis.contrast import Shared
from streamwatch.diagnosis.diagnose import Found
from streamwatch.diagnosis.mixture import Hypothesis
from streamwatch.diagnosis.mixvalue import split
from streamwatch.diagnosis.origin import Origin
from streamwatch.diagnosis.paired import Pair, Paired
from streamwatch.diagnosis.report import Report, StagePairs
from streamwatch.diagnosis.stagetable import StageLine
from streamwatch.domain.cells import Group
from streamwatch.domain.readings import KpiKey

BAD = Pair("widget-event", 0, 7, "client-7", SINCE, 170.0, 66.9, {"app_version": "5.0.0"})
MOVED = split(
    {"f,shoes": Group(500, 166.0), "m,shoes": Group(480, 178.0), "f,hats": Group(20, 165.0)},
    {"f,shoes": Group(50, 66.0), "m,shoes": Group(48, 71.0), "f,hats": Group(2, 61.5)},
)
REPORT = Report(
    key=KpiKey("shop-002", "widget-event", "mean.height"),
    bucket=SINCE,
    feature="height",
    usual_days=28,
    verdict=None,
    found=Found(
        Origin("normalise", "it adds -103"),
        (
            Hypothesis("inches for centimetres", 0.4, 3140.0, 0.3937),
            Hypothesis("feet for metres", 0.1, 12.0, 3.28),
        ),
    ),
    lines=(StageLine("segment", 170.0, 160.0, 180.0, 100, 0, 67.0, -30.0, 40, -103.0),),
    pairs=(StagePairs("decode", "normalise", Paired(485, 188, 0.3937, BAD)),),
    split=MOVED,
    shared=(Shared("app_version", "5.0.0", 200, 188.0, 1.0, 2.5, 40.0),),
    affected=0.398,
    bad=(BAD,),
)
