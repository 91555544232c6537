"""Wordings held back: the matters of `tiny_corpus.topics`, put as no text of the corpus puts them.

They are used in `feedback/unseen.jsonl` alone. Keys are those of `tiny_corpus.topics.TOPICS`.
"""

from __future__ import annotations

FRESH: dict[str, tuple[str, ...]] = {
    "double_charge": (
        "why did you {charge|debit} my card two times {in $month|last week}?",
        "my statement {has|contains} two {identical|equal} payments to {your shop|you}",
        "{one|a single} $product, two {charges|debits}, {that is wrong|how can that be?}",
        "the {payment|amount} for order $order {was|has been} {duplicated|doubled}",
        "i should pay for one $product and not {twice|for two}",
        "{i notice|i found} that the {price|payment} of the $product was {debited|withdrawn} again",
        "my {bank|card company} {says|reports} a {double|duplicate} {debit|payment} to your shop",
    ),
    "refund_missing": (
        "the {promised|confirmed} {refund|repayment} is {not here|not on my card} yet",
        "{how long|how many weeks} does a refund {take|need}?",
        "i {gave|sent} the $product back {but|and} {got no money|my money is still with you}",
        "you {owe|still owe} me {the money|a refund} for the {returned|cancelled} $product",
        "{my return|the return} is {confirmed|accepted}, {where is the money?|but not the money}",
        "i want {my money back|the refund} for the $product that i returned {in $month|on $day}",
        "{still|again} no {money|refund} on my {account|card} for the {return|cancelled order}",
    ),
    "late": (
        "{i should have had|we should have got} the parcel {on $day|$few days ago}",
        "the {package|parcel} is still {on the way|in $city} after $few weeks",
        "why does {shipping|the delivery} of {a|one} $product take so {long|many weeks}?",
        "{no|still no} {parcel|delivery|courier} {today|this week|until now}",
        "the {delivery|courier} is {late|delayed} {for the third time|again}, i wait since $day",
        "{my|our} {parcel|shipment} seems {lost|stuck} {somewhere|on the way}, it should be here",
        "i {waited|stayed} at home {on $day|all day} and the {courier|parcel} did not "
        "{come|arrive}",
    ),
    "damaged": (
        "when i opened the {parcel|package} the $product was {smashed|in pieces|broken}",
        "the {carton|box} {had a hole|was crushed} and the $product has {a dent|scratches}",
        "{you sent|i got|i received} {a broken|a damaged|a cracked} $product",
        "the {lid|screen|glass} {cracked|broke} {in the post|on the way to me|in transport}",
        "the {delivered|new} $product {is|was} {dented|scratched|bent} on one side",
        "the {driver|courier} handed me a {wet|torn|crushed} {box|package}",
        "{the packing was bad|too little paper in the box} and the $product is {broken|scratched}",
    ),
    "battery": (
        "i charge the $product {all night|for hours} and it is {empty|dead} {by noon|in the "
        "morning}",
        "the $product {needs|has to go on} the {charger|cable} {all the time|every hour}",
        "the battery {does not hold|loses its charge|is flat} {at all|after minutes}",
        "{a full charge|one charge} is {gone|empty} after {an hour|$few hours}",
        "the battery of the $product {swells|gets very hot|is dying}",
        "with the {cable|charger} {out|removed} the $product {goes off|is dead} at once",
        "the {runtime|battery} {dropped|fell} to $number minutes {in $month|after $few months}",
    ),
    "connection": (
        "my phone {lost|loses} the $product {every evening|over bluetooth} and i must pair again",
        "the $product is never {online|in the network} {in the $room|in the evening}",
        "{bluetooth|wifi} {keeps dropping|is always lost|goes away} {on|with} the $product",
        "{i tried to|we try to} {pair|link} the $product {$few times|with the tablet} without luck",
        "the $product says {no network|no internet|offline} {but|while} my laptop is online",
        "the {link|connection} {between|of} the $product and the router is {bad|unstable|weak}",
        "{setting up|joining} the wifi on the $product {never works|fails}",
    ),
    "locked_out": (
        "the {shop|site} {says|tells me} my password is {wrong|not right} but it is "
        "{right|correct}",
        "{how|where} can i {unlock|get back} my account?",
        "i {try|tried} to {log in|sign in} {$few times|since $day} and {it fails|i am refused}",
        "i {wait|asked} for the {reset mail|login code} and {nothing comes|it never came}",
        "my {profile|user} is {blocked|locked} and {i do not know why|nobody says why}",
        "{sign in|login} is {not possible|impossible} {with my email|since $day}",
        "i {need|want} a new password {but|and} the {link|reset link} is {dead|too old}",
    ),
    "app_crash": (
        "{each|every} time i {tap|open} the {menu|settings} the app {is gone|dies}",
        "the {new|last} version of the app {is broken|does not open|only crashes}",
        "i {start|open} the app and {see|get} {nothing but white|an error} and it {closes|stops}",
        "my app {hangs|is frozen} {for minutes|since the update|on the first screen}",
        "{bug|error} in the app: it {stops|quits} {when i save|after the start}",
        "the app {dies|quits} {again and again|in the middle of everything}",
        "{after|since} {installing|i installed} the update {nothing in the app|no button} {works|"
        "reacts}",
    ),
    "feature_request": (
        "{what about|how about} {a timer|a dark mode|a $colour version|voice control} {in|for} the "
        "{next version|$product}?",
        "a {timer|silent mode|remote control} {would help me|would be so useful}",
        "{i hope|we hope} {for|you build} {a dark mode|a bigger tank|more colours} {soon|one day}",
        "{is there a plan|any plans} for {a smaller model|a $colour $product|a family plan}?",
        "i would {buy|use} the $product more if it {had a timer|came in $colour|had more modes}",
        "{let us|allow users to} {choose the colour|set the volume|export the list} {in the app|in "
        "future}",
        "{i suggest|we propose|may i suggest} {a longer cable|a night mode|a widget|reminders}",
    ),
    "praise": (
        "{i want to|i would like to|let me} {thank|praise} {$name|your team} for {the help|the "
        "kind words|being so patient}",
        "{$name|your support} {was a great help|helped me at once|answered all my questions}",
        "{your team|the support|$name} {deserves|gets} {five stars|a big compliment|praise}",
        "{really|very} {nice|kind|friendly} {chat|call} with {$name|your support}",
        "i {love|like} {how friendly your team is|your kind support|the patient help}",
        "{all my|my} {questions|problems} were {solved|answered} {by $name|quickly}, {thank you|"
        "great}",
        "{it was a joy|i was happy} to {talk to|get help from} {$name|your team}",
    ),
}
