"""What partners call the fields of an event, and how near a key's name comes to one."""

import re

KNOWN: dict[str, str] = {
    "event_id": "eventid id uuid guid messageid lineid rowid recordid requestid eventuuid",
    "shop": "shop shopid shopname store storeid storename merchant merchantid tenant tenantid "
            "retailer retailerid partner partnerid site siteid webshop brandid outlet market "
            "country",
    "time": "time timestamp ts eventtime occurredat occurred createdat created datetime date "
            "invoicedate orderdate purchasedate returndate soldat eventdate at when",
    "shopper": "shopper shopperid customer customerid user userid visitor visitorid member "
               "memberid buyer buyerid consumerid profileid email",
    "product": "product productid sku item itemid article articleid articlenumber stockcode "
               "ean gtin upc asin styleid style productcode itemsku productsku",
    "category": "category productcategory categoryname producttype department garment "
                "garmenttype clothingtype",
    "gender": "gender sex",
    "height": "height bodyheight userheight stature groesse koerpergroesse taille altura h",
    "weight": "weight bodyweight userweight mass gewicht poids peso kilos kilo pounds lbs w",
    "age": "age userage ageyears alter edad",
    "height_unit": "heightunit unitheight heightunits lengthunit unit",
    "weight_unit": "weightunit unitweight weightunits massunit",
    "recommended_size": "recommendedsize recommendation sizerecommendation suggestedsize "
                        "predictedsize recommended",
    "fit_preference": "fitpreference fit preferredfit fitpref",
    "app_version": "appversion version clientversion widgetversion sdkversion release build",
    "order_id": "orderid order invoiceno invoice invoicenumber invoiceid ordernumber orderno "
                "transactionid transaction basketid receiptid bookingid",
    "line": "line lineno linenumber orderline position lineitem",
    "size": "size sizelabel variantsize sizename purchasedsize",
    "quantity": "quantity qty pieces units count number menge itemcount",
    "price": "price unitprice itemprice priceperunit saleprice grossprice netprice amount preis",
    "currency": "currency currencycode ccy curr pricecurrency",
    "reason": "reason returnreason reasoncode returncode why",
}  # fmt: skip
"""Field → names, the likeliest first; letters only."""

UNIT_WORDS = {
    "cm": "cm", "centimeter": "cm", "centimetre": "cm", "mm": "mm", "in": "in", "inch": "in",
    "inches": "in", "ft": "ft", "feet": "ft", "meter": "m", "metre": "m",
    "kg": "kg", "kgs": "kg", "kilos": "kg", "kilo": "kg", "lb": "lb", "lbs": "lb",
    "pounds": "lb", "stone": "st", "gram": "g", "grams": "g",
}  # fmt: skip
"""Words in a key's name that tell a unit."""

_LISTED = {field: names.split() for field, names in KNOWN.items()}
_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_PART = 0.55
_PER_PLACE = 0.01
_NESTED = 0.97


def words_of(name: str) -> list[str]:
    """The words of a key's name, in small letters.

    >>> words_of("bodyHeight_cm"), words_of("InvoiceNo"), words_of("SKU")
    (['body', 'height', 'cm'], ['invoice', 'no'], ['sku'])
    """
    return [word.lower() for word in _WORDS.findall(name)]


def unit_word(path: str) -> str | None:
    """The unit that a path's last key names, if it does.

    >>> unit_word("body.height_in"), unit_word("weightLbs"), unit_word("height")
    ('in', 'lb', None)
    """
    found = [UNIT_WORDS[word] for word in words_of(path.rpartition(".")[2]) if word in UNIT_WORDS]
    return found[-1] if found else None


def likeness(field: str, path: str) -> float:
    """How near a path's name comes to a field's known names, from 0 to 1.

    >>> likeness("height", "body.height_cm") > likeness("height", "shoe_height_code") > 0
    True
    >>> likeness("height", "colour")
    0.0
    """
    known = _LISTED[field]
    *outer, last = path.split(".")
    words = words_of(last)
    bare = [word for word in words if word not in UNIT_WORDS] or words
    names = {"".join(words): 1.0, "".join(bare): 0.99}
    if outer:
        names["".join([*words_of(outer[-1]), *bare])] = 0.98
    found = [
        share * (1 - _PER_PLACE * known.index(name))
        for name, share in names.items()
        if name in known
    ]
    if found:
        return max(found) * (_NESTED if outer else 1)
    long = [name for name in known if len(name) > 2]  # noqa: PLR2004  # letters alone are in much
    if any(name in bare for name in long):
        return _PART
    return 0.0
