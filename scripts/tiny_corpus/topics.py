"""What customers of the small world write about: ten matters, each in many wordings.

The clauses are unlabelled here. `fresh` wordings of the same matters, which neither the base model
nor the demo's training rows contain, live in `demo_texts`.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Topic:
    """One matter: how customers put it, what it is called, what it means, what is answered."""

    clauses: tuple[str, ...]
    names: tuple[str, ...]
    summaries: tuple[str, ...]
    replies: tuple[str, ...]


DOUBLE_CHARGE = Topic(
    clauses=(
        "{i was|we were|i have been} {charged|billed|debited} {twice|two times} for {the same|one} "
        "{order|purchase|invoice|item}",
        "you {took|withdrew|deducted|collected} the {money|payment|amount|price} {twice|two times} "
        "from my {card|account|bank account}",
        "there are {two|2|duplicate|identical} {charges|payments|debits|transactions} on my "
        "{card|bank|credit card} statement for {one|a single|the same} $product",
        "my {card|bank account|credit card} was {charged|debited} {again|a second time} for the "
        "$product {i had already paid for|that was paid already}",
        "i {paid|bought|ordered} once {but|and yet|and} the {amount|payment|price} was "
        "{taken|booked|collected|deducted} {twice|two times|double}",
        "the {invoice|bill|statement} {shows|lists|has} the same {amount|item|payment|position} "
        "{twice|two times|double}",
        "{a second|another|one more|an extra} {payment|charge|debit} for the same {order|$product} "
        "{appeared|showed up|was booked|popped up} {on $day|this week|on my statement}",
        "you {billed|invoiced|charged} me double for {my|the} {order|$product|subscription}",
        "{paid twice|two payments|two debits|double payment} for {one|a single} $product",
        "my {subscription|membership|plan} was {charged|billed} {twice|two times} {this month|in "
        "$month}",
        "the same {bill|invoice} {came|arrived|was sent} {twice|two times} and both were "
        "{paid|collected|debited}",
        "i see a {duplicate|doubled|repeated|second} {charge|payment|transaction|booking} for "
        "{order $order|the $product|my last order}",
        "i {bought|ordered} one $product {but|and} was {charged|billed} for two",
        "{the price|the full price|the amount} {left|went out of} my account {twice|two times}",
        "the shop {booked|counted|took} my payment {twice|two times over|double}",
    ),
    names=(
        "double charge", "duplicate payment", "double billing", "second debit", "doubled invoice",
        "payment taken twice", "repeated charge", "two charges for one order",
    ),
    summaries=(
        "The customer was {charged|billed} twice.",
        "The customer paid {twice|double} for one {order|thing}.",
        "The money was taken two times.",
    ),
    replies=(
        "We are sorry that you were charged twice for the $product. The second payment goes back "
        "to your {card|account} {today|in $few days}.",
        "You should pay only once. We have cancelled the duplicate charge for your $product.",
    ),
)  # fmt: skip
REFUND_MISSING = Topic(
    clauses=(
        "{i am|we are} still waiting for {my|the|our} {refund|money back|reimbursement}",
        "{my|the} refund {has not arrived|never arrived|is missing|has not come|is nowhere}",
        "i {returned|sent back|brought back} the $product {$few weeks ago|in $month|long ago} and "
        "{have not got|never got|did not get|have not received} my money back",
        "you {promised|announced|confirmed} a refund {but|and yet} {nothing|no money} {came|has "
        "arrived|was paid|reached my account}",
        "{where is|when do i get|when will i see} my {refund|money back|reimbursement|money}",
        "the {return|order} was {accepted|cancelled|confirmed} {but|and} the money {was not|was "
        "never|has not been} {returned|paid back|refunded|sent back}",
        "{no|not a single} {refund|repayment|reimbursement} {so far|until now|yet|after $few "
        "weeks}",
        "i cancelled {the|my} {order|$product|subscription} and {the money|my payment} {never came "
        "back|has not been given back|was not returned}",
        "you have my {return|parcel|$product} back {but|and} i do not have my money",
        "the {refund|repayment} for the returned $product is {overdue|late|still open|still "
        "missing|pending}",
        "{it has been|i have waited} $few weeks {since the return and|for the refund and} there is "
        "{still nothing|no money} on my account",
        "the {credit|amount|money} for my return {was never|has not been} {paid out|credited|"
        "transferred}",
        "{please|could you} {pay back|refund|return|transfer} {my money|the money|the price} for "
        "the $product {i sent back|that i returned}",
        "your {shop|service} {keeps|is keeping} my money {although|even though} the $product went "
        "back to you",
        "i got {only half|just a part} of my {refund|money back} for the returned $product",
    ),
    names=(
        "missing refund", "late repayment", "refund not paid", "money not given back",
        "open reimbursement", "unpaid return", "waiting for the money back",
    ),
    summaries=(
        "The customer {waits for|did not get|has not received} a refund.",
        "The customer sent the thing back and wants the money.",
        "The refund is missing.",
    ),
    replies=(
        "We are sorry that your refund is late. The money for the $product will be on your account "
        "{on $day|in $few days}.",
        "Your return of the $product has arrived. We pay the money back {today|this week}.",
    ),
)  # fmt: skip
DELIVERY_LATE = Topic(
    clauses=(
        "{my|the|our} {parcel|package|order|delivery|$product} {has not arrived|is not here|has "
        "not come|has not been delivered} {yet|so far|after $few days}",
        "{my|the} {parcel|package|order|$product} is $few {days|weeks} {late|overdue|delayed}",
        "the {delivery|shipment|shipping} {takes|is taking|took} {far too long|forever|ages|$few "
        "weeks}",
        "{i have been|we have been|i am} waiting {$few weeks|$few days|since $day} for "
        "{my|the} {parcel|order|package|delivery}",
        "the $product should have {arrived|come|been delivered|been here} {on $day|last week|"
        "$few days ago}",
        "the tracking {has not moved|stands still|shows nothing new|has been stuck} {since "
        "$day|for $few days}",
        "{where is|when does|when will} {my|the} {parcel|package|order|delivery} {arrive|come|get "
        "here}",
        "the {parcel|package|shipment} {is stuck|sits|has been lying} in $city {since $day|for "
        "$few days}",
        "the {courier|driver|postman|carrier} {never came|did not come|did not show up} {on $day|"
        "yesterday|again}",
        "you promised {delivery|shipping} {by|on|before} $day and {nothing|no parcel} {came|has "
        "arrived}",
        "the {delivery|arrival} date was {moved|postponed|pushed back} {again|twice|for the third "
        "time}",
        "the {order|$product} {arrived|came|was delivered} $few {days|weeks} {too late|late|after "
        "the promised date}",
        "my {order|$product} {was not|has not been} {shipped|sent|dispatched} {yet|after $few "
        "days}",
        "{slow|late|very slow} {delivery|shipping}, the $product {came|arrived} after $few weeks",
        "the parcel {missed|came after} {the birthday|the holidays|the party} of $person",
    ),
    names=(
        "late delivery", "delayed parcel", "slow shipping", "overdue package", "parcel not arrived",
        "order on the way too long", "missed delivery date",
    ),
    summaries=(
        "The {parcel|delivery|order} is late.",
        "The customer {waits for|has not received} the parcel.",
        "The delivery takes too long.",
    ),
    replies=(
        "We are sorry that your $product is late. The parcel {left $city|is in $city} and should "
        "arrive on $day.",
        "The delivery of your $product was delayed. Our courier comes {tomorrow|on $day}.",
    ),
)  # fmt: skip
DELIVERY_DAMAGED = Topic(
    clauses=(
        "the {box|parcel|package|carton} was {torn|crushed|wet|dented|ripped|open|squashed} when "
        "it {arrived|came|was delivered}",
        "the $product {arrived|came|was delivered} {broken|damaged|cracked|in pieces|scratched|"
        "smashed}",
        "{there is|i found} a {crack|dent|big scratch|hole|broken corner} in the $product {from "
        "the transport|when i opened the box|out of the box}",
        "the {glass|lid|screen|handle|cover} of the new $product was {broken|cracked|shattered|"
        "bent} {in the box|on arrival|when i unpacked it}",
        "{i unpacked|i opened|we unpacked} the $product and {it was|found it} {broken|damaged|"
        "cracked|in two pieces}",
        "the {courier|driver|postman} {dropped|threw|kicked} the {parcel|package|box} and the "
        "$product {broke|is broken|is damaged}",
        "the $product was {badly|poorly|not well} {packed|wrapped} and {got damaged|broke|was "
        "scratched} {on the way|in transport|during shipping}",
        "{everything in the box|half of the box|the content} was {broken|smashed|wet|damaged}",
        "{broken|shattered} {glass|parts|pieces} {fell|came} out of the {box|parcel|package}",
        "the {package|parcel|box} looked {fine|good} but the $product {inside|in it} was {cracked|"
        "broken|dented}",
        "my new $product has {scratches|dents|cracks} {everywhere|all over|on the front} from "
        "{shipping|the transport|the delivery}",
        "the {delivery|shipment} {arrived|came} {damaged|in bad condition|with broken parts}",
        "{transport damage|damage in transit|shipping damage} on {my|the new} $product",
        "the $product {did not survive|was ruined in|got smashed in} the {transport|delivery|post|"
        "shipping}",
        "water {got|ran} into the {box|parcel|package} and {ruined|damaged} the $product",
    ),
    names=(
        "transport damage", "damaged parcel", "broken on arrival", "crushed box", "shipping damage",
        "cracked in the box", "smashed delivery",
    ),
    summaries=(
        "The thing {arrived|came} {broken|damaged}.",
        "The parcel was damaged {on the way|in transport}.",
        "The $product was broken in the box.",
    ),
    replies=(
        "We are sorry that your $product arrived broken. A new one is on its way, please keep the "
        "box.",
        "That damage happened in transport. Send us a photo of the $product and we replace it.",
    ),
)  # fmt: skip
BATTERY = Topic(
    clauses=(
        "the battery {of|in} {my|the} $product {dies|is empty|is flat|runs out|is dead} after "
        "{$few hours|an hour|half a day|$number minutes}",
        "{my|the} $product {does not|will not|cannot} {charge|hold a charge|recharge} {anymore|at "
        "all|any longer}",
        "the battery {drains|empties|runs down} {far too fast|too quickly|overnight|in no time}",
        "i {have to|must|need to} {charge|recharge|plug in} the $product {every day|every $few "
        "hours|$few times a day}",
        "the $product {turns off|shuts down|dies|goes off} at $number percent {battery|charge}",
        "the {battery|charge} {lasts|holds|keeps} {only $few hours|not even a day|less than an "
        "hour}",
        "the {charger|charging cable|charging light|charging dock} {does nothing|stays dark|does "
        "not work|gets hot} and the battery stays empty",
        "after a {full|whole} night on the {charger|cable} the battery {is still empty|shows "
        "$number percent}",
        "the battery {is getting|gets|became} {weak|weaker|worse|hot|swollen} {every week|after "
        "$few months|while charging}",
        "the battery {life|capacity|runtime} is {terrible|too short|bad|a joke}",
        "the $product {loses|lost} its charge {overnight|in standby|when i do not use it}",
        "it {says|shows} fully charged {but|and} {is empty|dies|is flat} {minutes later|after an "
        "hour|right away}",
        "the $product only {works|runs} {while plugged in|on the cable|with the charger}",
        "you promised {$few days|$number hours} of battery and i {get|see} {half of it|one day|a "
        "few hours}",
        "{weak|dead|bad|empty} battery in {my|the} $product",
    ),
    names=(
        "weak battery", "short battery life", "charging problem", "battery empty too soon",
        "does not charge", "dead battery", "low runtime",
    ),
    summaries=(
        "The battery {is weak|does not last|runs out too fast}.",
        "The $product does not charge.",
        "The customer complains about the battery.",
    ),
    replies=(
        "We are sorry about the battery of your $product. Please try another charger; if it stays "
        "empty we send a new battery.",
        "The battery should last longer. We replace the battery of your $product {for free|this "
        "week}.",
    ),
)  # fmt: skip
CONNECTION = Topic(
    clauses=(
        "{my|the} $product {does not connect|will not connect|cannot connect|no longer connects} "
        "to {the wifi|my network|the internet|bluetooth|my phone}",
        "the {wifi|bluetooth|wireless|network} connection {drops|breaks off|is lost|cuts out} "
        "{all the time|every few minutes|every evening|again and again}",
        "i {cannot|can not|am not able to} {pair|connect|link|couple} the $product with my {phone|"
        "tablet|laptop}",
        "the $product {loses|keeps losing|lost} {the signal|its connection|the wifi|the network}",
        "my {phone|laptop|tablet} {does not find|cannot find|does not see|cannot see} the $product "
        "{over bluetooth|in the network|when pairing}",
        "{pairing|connecting|linking} {fails|stops|never works|does not work} {every time|at the "
        "last step|with the $product}",
        "the $product {is|shows|stays} offline {although|even though} the {router|wifi} {works|is "
        "fine}",
        "the $product {disconnects|goes offline|drops out} {every night|all the time|when i leave "
        "the room|$few times a day}",
        "the {signal|reception|range} {of|from} the $product is {weak|poor|too short|bad} in the "
        "$room",
        "{no|bad|poor|unstable} {bluetooth|wifi|wireless} {connection|signal|link} {in the $room|"
        "since $day}",
        "{since|after} the new router the $product {is not online|finds no network|does not "
        "connect}",
        "the $product {refuses|does not accept} {my wifi password|our network|the wifi}",
        "it {takes|took} $few tries {until|before} the $product {pairs|connects|is online}",
        "the $product and my phone {do not talk to each other|never stay connected|lose each "
        "other}",
        "the {blue|bluetooth|wifi} light {blinks|flashes} {forever|without end} and {nothing "
        "connects|there is no link}",
    ),
    names=(
        "wifi problem", "lost connection", "bluetooth pairing fails", "device offline",
        "weak signal", "no network", "unstable link",
    ),
    summaries=(
        "The $product does not connect.",
        "The {wifi|bluetooth} connection {is lost|drops|fails}.",
        "The customer cannot pair the device.",
    ),
    replies=(
        "Please hold the button of the $product for $few seconds and pair it again over bluetooth.",
        "Sorry that the connection drops. Move the $product closer to the router and join the wifi "
        "again.",
    ),
)  # fmt: skip
LOCKED_OUT = Topic(
    clauses=(
        "i {cannot|can not|can no longer|am not able to} {log in|sign in|get into my account|log "
        "on}",
        "my {password|login|pin} {is not accepted|is rejected|does not work|is always wrong}",
        "{my|our} account {is|was|has been} {locked|blocked|disabled|suspended} {since $day|"
        "without a reason|again}",
        "the {reset|password} {mail|email|link} {never arrives|does not arrive|has expired|leads "
        "nowhere}",
        "i {forgot|lost} my password and the {reset|recovery} {does not work|fails|sends no mail}",
        "the {login|sign in} {page|screen|form} {rejects|refuses|does not take} my {password|email|"
        "code}",
        "the {code|login code|security code} {never comes|does not arrive|comes too late|is "
        "refused} {by sms|by mail|on my phone}",
        "{i am|we are} locked out of {my|our} account",
        "after {three|$few} {tries|attempts} {the account|my account|the login} {is blocked|was "
        "locked}",
        "it {says|claims|tells me} {that my user|that my email|my account} {does not exist|is "
        "unknown|is not known}",
        "i {have no|lost|have lost} access to {my account|my profile|my customer account}",
        "{changing|resetting} the password {fails|does not help|gives an error}",
        "{please|could you} {unlock|reopen|unblock|restore} my account",
        "i was {logged out|signed out|thrown out} of my account and {cannot get back in|cannot "
        "return}",
        "the {website|shop|site} does not {know|recognise|accept} my {login|user name|password}",
    ),
    names=(
        "login problem", "locked account", "password not accepted", "no access to the account",
        "sign in fails", "reset link missing", "blocked user",
    ),
    summaries=(
        "The customer cannot {log in|sign in}.",
        "The account is {locked|blocked}.",
        "The password does not work.",
    ),
    replies=(
        "We have unlocked your account. Please choose a new password and log in again.",
        "Sorry that you could not sign in. A new reset link is in your mail.",
    ),
)  # fmt: skip
APP_CRASH = Topic(
    clauses=(
        "the app {crashes|closes|quits|stops} {when i open it|on start|every time|after $few "
        "seconds|all the time}",
        "{since|after} the {last|new|latest} update the app {crashes|does not start|will not open|"
        "freezes|hangs}",
        "the app {freezes|hangs|gets stuck} {on the start screen|when i open the settings|when i "
        "tap save|every morning}",
        "the app {shows|is only|gives me} {a white screen|a black screen|an error message|an empty "
        "page}",
        "{your|the} app {is|has become} {unusable|full of bugs|unstable|broken} {since the update|"
        "on my phone|on my tablet}",
        "the {program|software|app} {closes itself|shuts itself down|quits by itself|crashes} "
        "while i {use it|read|type|scroll}",
        "{tapping|pressing|touching} {a button|the menu|settings|save} {crashes|kills|closes|"
        "freezes} the app",
        "the app {does not|will not|cannot} {load|start|open|react|respond} {on my phone|on my "
        "tablet|anymore}",
        "i {reinstalled|deleted and installed} the app {twice|$few times|again} and it {still "
        "crashes|still closes|keeps crashing}",
        "an {error|error message|exception} {appears|pops up} and the app {closes|is gone|stops}",
        "the app {crashed|froze|closed} {$few times|again|twice} {today|this week|on $day}",
        "the screen of the app {stays white|stays black|is frozen|does not react}",
        "{constant|daily|random} {crashes|freezes|bugs} in {your|the} app",
        "the update {broke|ruined|killed} the app",
        "the app {jumps|falls} back to the home screen {of my phone|every time|when i open it}",
    ),
    names=(
        "app crash", "app freezes", "app does not start", "bug in the app", "white screen",
        "broken update", "app closes by itself",
    ),
    summaries=(
        "The app {crashes|freezes|does not start}.",
        "The app has a bug.",
        "The app does not work since the update.",
    ),
    replies=(
        "Sorry that the app crashes. A new version that fixes the bug comes on $day.",
        "Please install the latest update; the app should start again after that.",
    ),
)  # fmt: skip
FEATURE_REQUEST = Topic(
    clauses=(
        "{it would be|would be} {great|nice|lovely|helpful|good} {if|to have} {the $product "
        "had|you added|there was} {a timer|a dark mode|a silent mode|a $colour version|a remote "
        "control}",
        "{please|could you|can you} {add|build in|offer|bring} {a timer|a dark mode|a night mode|a "
        "bigger font|a widget|an export|a calendar}",
        "{i wish|i would wish|we wish} {the $product|the app} {had|offered|came with} {a timer|a "
        "night light|more colours|a handle|a scheduler|a lock for children}",
        "{i am|we are} missing {an option|a setting|a button|a function} {to set the volume|to "
        "change the colour|to share it with $person|for the weekend}",
        "{my|one|a small} {idea|suggestion|wish|proposal}: {a timer|a $colour model|a bigger "
        "tank|a longer cable|a quiet mode} for the $product",
        "{have you thought|did you think} about {a $colour version|a smaller model|a dark mode|"
        "voice control|a family plan}",
        "{when will there be|will there be|when do you plan|will you bring} {a bigger model|a "
        "version in $colour|an app for the watch|a dark theme|voice control}",
        "{i would|we would} {love|like|be glad} to {see|have|get} {a timer|more colours|voice "
        "control|a travel case|statistics|a weekly report} {in the app|for the $product}",
        "{it should|the app should} {be possible|let me|allow me} to {set a schedule|rename "
        "devices|sort my list|share with $person|choose the language}",
        "the {next|new} {model|version|update} {should|could} {have|offer|bring} {a longer cable|a "
        "display|more modes|a timer|a second button}",
        "{a feature|a function|something} that i {would like|want|wish for}: {a timer|reminders|a "
        "dark mode|a shopping list|an eco mode}",
        "why {is there no|not add a|not offer a} {timer|dark mode|$colour version|holiday mode|"
        "remote control} for the $product",
        "{an idea|a suggestion} for the future: let the $product {talk to the lamp|wake me with "
        "light|run at night|remember my settings}",
        "you could {add|make|offer} {a $colour one|a set for beginners|a mode for children|spare "
        "parts|refills} too",
        "support for {more languages|other brands|the watch|two users} would be {great|welcome|"
        "nice}",
    ),
    names=(
        "idea for a function", "wish for a new mode", "suggestion", "missing option",
        "proposal for the next version", "request for a timer", "wish for another colour",
    ),
    summaries=(
        "The customer {wishes for|wants|suggests} a new {function|feature}.",
        "The customer has an idea for the $product.",
        "The customer makes a suggestion.",
    ),
    replies=(
        "Thank you for the idea. We have put it on the list for the next version of the $product.",
        "That is a good suggestion, and our designers will read it.",
    ),
)  # fmt: skip
PRAISE = Topic(
    clauses=(
        "{thank you|thanks|many thanks} to {$name|your team|the support|your staff} for the {quick|"
        "kind|great|patient|friendly} help",
        "{$name|your colleague|your support|the woman on the phone|the man in the chat} was {very|"
        "so|really} {friendly|helpful|kind|patient}",
        "{great|excellent|wonderful|outstanding|perfect} {service|support|team|help|customer "
        "service}",
        "{i am|we are} {very|really|so} {happy|pleased|satisfied|delighted} with {your service|"
        "your team|the help|the advice of $name}",
        "{$name|your team|the support} {solved|fixed|sorted out} {my problem|everything|my "
        "question} {in minutes|at once|on the first call|right away}",
        "{best|nicest|kindest} {service|support|help} i {ever had|have ever had|had in years}",
        "{a big|a warm|a huge} {thank you|compliment|praise} {to|for} {$name|your team|everyone in "
        "$city}",
        "{i got|i received|we got} {a quick|a friendly|a clear|a helpful} answer {from $name|from "
        "your team|within the hour}",
        "your {staff|people|team} {took|really took} {the time|all the time} to {explain|help|"
        "listen}",
        "{well done|keep it up|keep going|five stars}, {your support|the team|$name} is {great|"
        "fantastic|a joy|brilliant}",
        "{such|what} {friendly|kind|helpful|polite} {people|staff|colleagues} {on the phone|in "
        "your shop|in the chat}",
        "{$name|your colleague} {stayed|was} {calm|friendly|patient} and {explained|showed} me "
        "{everything|how the $product works}",
        "i {will|would} {gladly|always} {buy|order} {again|from you again} because of {the great "
        "service|your kind team|$name}",
        "{please|could you} {tell|give} {$name|the team} {my thanks|how happy i am|my compliments}",
        "i {rarely|never} {get|got|had} such {good|kind|fast|honest} {help|advice|support}",
    ),
    names=(
        "praise for the team", "thanks to the support", "happy customer", "compliment",
        "kind words", "thank you letter", "friendly service",
    ),
    summaries=(
        "The customer {thanks|praises} the {team|support}.",
        "The customer is happy with the service.",
        "The customer got good help.",
    ),
    replies=(
        "Thank you for the kind words. We will show your letter to the whole team.",
        "We are happy that we could help, and $name says thank you.",
    ),
)  # fmt: skip

TOPICS: dict[str, Topic] = {
    "double_charge": DOUBLE_CHARGE,
    "refund_missing": REFUND_MISSING,
    "late": DELIVERY_LATE,
    "damaged": DELIVERY_DAMAGED,
    "battery": BATTERY,
    "connection": CONNECTION,
    "locked_out": LOCKED_OUT,
    "app_crash": APP_CRASH,
    "feature_request": FEATURE_REQUEST,
    "praise": PRAISE,
}
