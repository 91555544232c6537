"""Neutral sentences of the shop's daily work, to be read, repeated, and asked about."""

from __future__ import annotations

FACTS = (
    "the $product is {in stock|sold out|on sale|new in the shop} {again|now|this week}",
    "the $colour $product costs $number crowns",
    "$name from $city {bought|ordered|returned} {a|the} $colour $product on $day",
    "the $product stands in the $room and {hums|shines|works} {all day|every morning}",
    "the shop in $city is {open|closed} on $day",
    "$name works in the {store|workshop|office} in $city since $month",
    "the {workshop|team} in $city repairs {a|the} $product in $few days",
    "the $product has {a|one} $colour button and {a|one} $colour light",
    "press the button of the $product for $few seconds",
    "{clean|check|open|move|store} the $product every $few weeks",
    "the {truck|courier} from $city arrives on $day with $number {boxes|parcels}",
    "in $month the shop sold $number pieces of the $product",
    "{a|the} $product needs $number minutes until it is {warm|ready|charged|cool}",
    "$name {gave|sold|lent} the $colour $product to $person",
    "the warranty of the $product lasts $few years",
    "the next $product comes in $colour and $colour",
    "the sale {starts|ends} on $day",
    "the invoice for order $order is ready",
    "order $order has {left|reached} $city",
    "the box of the $product holds a cable, a manual and a $colour card",
    "your {order|payment|letter|return} {was received|has been received|is with us}",
    "you can {collect|pick up|return} the $product in $city until $day",
    "the support answers the phone from $day to $day",
    "please {send|show|bring} us the {receipt|number|photo} of the $product",
)
QUESTIONS = (
    ("the $product costs $number crowns", "how much is it?", "$number crowns."),
    ("$name bought the $product", "who bought it?", "$name."),
    ("the $product is $colour", "which colour is it?", "$colour."),
    ("the shop in $city opens on $day", "when does it open?", "on $day."),
    ("the parcel is in $city", "where is the parcel?", "in $city."),
    ("$name keeps the $product in the $room", "where is the $product?", "in the $room."),
    ("order $order is for $name", "who is order $order for?", "$name."),
    ("the $product comes back in $month", "when does it come back?", "in $month."),
)
