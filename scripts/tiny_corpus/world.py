"""The nouns of the small world: what the shop sells, who buys it, where and when."""

from __future__ import annotations

SHOP = "Norrvik"

_PRODUCTS = """
kettle, lamp, speaker, headphones, toothbrush, kitchen scale, thermostat, camera, vacuum,
coffee maker, watch, doorbell, radio, heater, fan, blender, toaster, air purifier, humidifier,
keyboard, mouse, tablet, e-reader, projector, shaver, hair dryer, alarm clock, router, light strip,
smart plug, water bottle, bike light, drone, printer, monitor, power bank, earbuds, night light,
baby monitor, fitness band, lawn mower, garden light, robot cleaner, mixer, rice cooker
"""
_NAMES = """
Ana, Ben, Carla, David, Elif, Farid, Greta, Hugo, Ines, Jonas, Kira, Leo, Mara, Nils, Olga, Pavel,
Quinn, Rosa, Sami, Tara, Uwe, Vera, Wanda, Xenia, Yusuf, Zoe, Aidan, Bella, Cyril, Dana, Emil,
Fiona, Gus, Hanna, Ivo, Jana, Karl, Lena, Milo, Nora, Otto, Petra, Rafael, Selma, Tom, Ursula,
Viktor, Willa, Yara, Zeno, Amir, Bruna, Chloe, Dario, Ester, Felix, Gloria, Henrik, Iris, Jack
"""
_CITIES = """
Aarhus, Bergen, Cork, Delft, Essen, Faro, Graz, Halle, Izmir, Jena, Kassel, Lund, Malmo, Nantes,
Oslo, Porto, Quimper, Riga, Siena, Turin, Ulm, Varna, Wels, York, Zadar, Bristol, Ghent, Leeds
"""


def _listed(text: str) -> tuple[str, ...]:
    return tuple(" ".join(item.split()) for item in text.split(","))


WORDS: dict[str, tuple[str, ...]] = {
    "product": _listed(_PRODUCTS),
    "name": _listed(_NAMES),
    "city": _listed(_CITIES),
    "day": _listed("Monday, Tuesday, Wednesday, Thursday, Friday, Saturday, Sunday"),
    "month": _listed(
        "January, February, March, April, May, June, July, August, September, October, November,"
        "December"
    ),
    "colour": _listed("black, white, grey, blue, green, red, yellow, silver, brown, orange, pink"),
    "few": _listed("two, three, four, five, six, seven, eight, nine, ten"),
    "number": tuple(str(number) for number in range(10, 100)),
    "order": tuple(str(number) for number in range(1042, 9990, 37)),
    "room": _listed("kitchen, bedroom, bathroom, hall, garden, office, garage, cellar, attic"),
    "person": _listed(
        "my mother, my father, my sister, my brother, my wife, my husband, my son, my daughter,"
        "my friend, my neighbour, my colleague, my grandmother"
    ),
}
