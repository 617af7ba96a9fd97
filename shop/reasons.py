"""Reasons: what a moderator may say, in each language, and the law or the term of ours that it rests on.

The moderator chooses one and adds what happened in their own words; the seller reads it in their language. A code is
kept in statements for ever, so it is never used for something else.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from shop.words import Words

TRADERS = "DSA (EU) 2022/2065, art. 30"
UNTRUE = "DSA (EU) 2022/2065, art. 30(3)"
MISUSE = "DSA (EU) 2022/2065, art. 23"
SAFETY = "GPSR (EU) 2023/988, art. 16, 19"
UNFAIR = "2005/29/EC, art. 6, 7"
AGAIN = "DSA (EU) 2022/2065, art. 20(4)"
TERMS = "terms"  # our own, for sellers; how they are called, the page says


class Reason(NamedTuple):
    """A reason by its code: what it rests on, and how it is said."""

    code: str
    rule: str
    said: Words


def _named(*reasons: tuple[str, str, str, str]) -> dict[str, Reason]:
    return {code: Reason(code, rule, Words(nl=nl, en=en)) for code, rule, nl, en in reasons}


# What may be wrong with an item of an application.
ITEMS = _named(
    ("unreadable", TRADERS, "We kunnen dit niet goed lezen. Maak een scherpe foto van het hele papier.",
     "We cannot read this well. Take a sharp photograph of the whole paper."),
    ("expired", TRADERS, "Dit papier is niet meer geldig. Stuur er een die nog geldig is.",
     "This paper has run out. Send one that is still valid."),
    ("other_name", UNTRUE, "De naam is hier anders dan wat je invulde. Maak ze gelijk, of leg uit hoe dat komt.",
     "The name here differs from what you filled in. Make them agree, or explain why they differ."),
    ("other_address", UNTRUE, "Het adres is hier anders dan wat je invulde. Vul in waar je echt zit.",
     "The address here differs from what you filled in. Fill in where you really are."),
    ("not_found", UNTRUE, "Het register kent dit nummer niet. Kijk het na en vul het opnieuw in.",
     "The register does not know this number. Look it up and fill it in again."),
    ("other_holder", TRADERS, "De bankrekening staat op een andere naam. Geef een rekening op je eigen naam.",
     "The bank account is in another name. Give one in your own name."),
    ("no_answer", TRADERS, "We kregen geen antwoord op dit nummer of adres. Geef er een waarop je te bereiken bent.",
     "Nobody answered at this number or address. Give one at which you can be reached."),
    ("incomplete", TRADERS, "Hier ontbreekt iets. Vul aan wat hieronder staat.",
     "Something is missing here. Add what is said below."),
    ("vague", TERMS, "We weten nog niet goed wat je wilt verkopen. Vertel er meer over.",
     "We do not know well enough what you want to sell. Tell us more about it."),
    ("not_entitled", TERMS, "Laat zien dat het merk van jou is, of dat je het mag gebruiken.",
     "Show that the mark is yours, or that you may use it."),
)  # fmt: skip
REFUSALS = _named(
    ("untrue", UNTRUE, "Wat je ons vertelde klopt niet met wat de registers zeggen.",
     "What you told us does not agree with what the registers say."),
    ("forged", UNTRUE, "Een papier dat je stuurde is niet echt, of niet van jou.",
     "A paper that you sent is not genuine, or not yours."),
    ("goods_not_allowed", TERMS, "Wat je wilt verkopen mag hier niet.",
     "What you want to sell is not allowed here."),
    ("seen_before", MISUSE, "Je hoort bij een winkel die wij eerder hebben gesloten.",
     "You belong to a shop that we closed before."),
    ("not_complete", TRADERS, "Na herhaald vragen weten we nog niet wat de wet ons laat vragen.",
     "After asking repeatedly we still do not know what the law makes us ask."),
)  # fmt: skip
SUSPENSIONS = _named(
    ("not_sent", TERMS, "Bestellingen zijn niet verstuurd, of niet op tijd.",
     "Orders were not sent, or not in time."),
    ("unsafe_goods", SAFETY, "Wat je verkoopt is mogelijk niet veilig.",
     "What you sell may not be safe."),
    ("counterfeit_goods", TERMS, "Je verkoopt namaak, of iets waarop een ander recht heeft.",
     "You sell counterfeits, or something that somebody else has the right to."),
    ("facts_changed", UNTRUE, "Wat we van je weten klopt niet meer, en je vulde het niet aan.",
     "What we know of you is no longer right, and you did not put it right."),
    ("misleading_buyers", UNFAIR, "Kopers zijn misleid.",
     "Buyers were misled."),
    ("repeatedly", MISUSE, "Je hebt de regels herhaaldelijk overtreden, ook na een waarschuwing.",
     "You broke the rules repeatedly, also after a warning."),
)  # fmt: skip
# What the shop does by itself, by a rule that nobody has to judge.
BY_ITSELF = _named(
    ("paper_ran_out", "DSA (EU) 2022/2065, art. 30(3)",
     "Een papier waarmee we weten wie je bent is verlopen, en er is geen nieuw gekomen. Stuur een nieuw op de pagina"
     " van je winkel; zodra een moderator het heeft gezien, kun je weer verkopen.",
     "A paper by which we know who you are has run out, and no new one has come. Send a new one on the page of your"
     " shop; once a moderator has seen it, you can sell again."),
    ("paper_not_accepted", "DSA (EU) 2022/2065, art. 30(3)",
     "Een papier waarmee we weten wie je bent is verlopen, en het nieuwe is nog niet goedgekeurd. Zodra een moderator"
     " het heeft goedgekeurd, kun je weer verkopen.",
     "A paper by which we know who you are has run out, and the new one has not been accepted yet. Once a moderator has"
     " accepted it, you can sell again."),
    ("tax_details_missing", "DAC7 (EU) 2021/514, annex V, IV.A(2)",
     "We hebben je gevraagd om je belastinggegevens en je twee keer herinnerd, en ze zijn er niet. De wet laat ons dan"
     " niet uitbetalen. Vul ze in op de pagina Belasting van je winkel: je uitbetalingen gaan dan meteen verder."
     " Verkopen kun je gewoon.",
     "We asked for your tax details and reminded you twice, and they are not here. The law does not let us pay you"
     " then. Fill them in on the page Tax of your shop: your payouts go on at once. You can sell as before."),
)  # fmt: skip
PAYOUTS = _named(
    ("fraud_suspected", TERMS, "Er zijn aanwijzingen van fraude. Je geld wacht tot we dat weten.",
     "There are signs of fraud. Your money waits until we know."),
    ("buyers_unserved", TERMS,
     "Veel kopers kregen niet wat ze betaalden. Je geld wacht tot dat is opgelost.",
     "Many buyers did not get what they paid for. Your money waits until that is settled."),
    ("ordered_by_law", "DSA (EU) 2022/2065, art. 9",
     "Een instantie heeft ons opgedragen om niet uit te betalen.",
     "An authority ordered us not to pay out."),
)  # fmt: skip
PRODUCTS = _named(
    ("forbidden", TERMS, "Dit mag hier niet worden verkocht.",
     "This may not be sold here."),
    ("risky", TERMS,
     "Dit mag alleen worden verkocht als we het eerst bekijken, en zo kan het niet.",
     "This may be sold only after we have looked at it, and not like this."),
    ("missing_facts", "GPSR (EU) 2023/988, art. 19; 2011/83/EU, art. 6",
     "Er ontbreekt iets dat kopers volgens de wet moeten weten.",
     "Something is missing that buyers have to know by law."),
    ("misleading", UNFAIR, "Wat erbij staat misleidt kopers.",
     "What is said about it misleads buyers."),
    ("counterfeit", "DSA (EU) 2022/2065, art. 3(h); 2004/48/EC", "Dit is namaak, of een ander heeft er recht op.",
     "This is a counterfeit, or somebody else has the right to it."),
    ("unsafe", SAFETY, "Dit is mogelijk niet veilig.",
     "This may not be safe."),
    ("copied_picture", TERMS, "Een foto is van iemand anders.",
     "A picture is somebody else's."),
    ("green_claim", "2005/29/EC, annex I, 4a-4c", "Er staat dat het goed is voor natuur of klimaat, zonder bewijs.",
     "It says that it is good for nature or climate, without proof."),
    ("medical_claim", "2005/29/EC, annex I, 17", "Er staat dat het geneest.",
     "It says that it heals."),
)  # fmt: skip
GOOD = _named(
    ("put_right", TERMS, "Wat er mis was is rechtgezet.",
     "What was wrong has been put right."),
    ("we_were_wrong", AGAIN, "Bij nader inzien hadden we ongelijk.",
     "On looking again, we were wrong."),
)  # fmt: skip
UPHELD = _named(
    ("upheld", AGAIN,
     "Een andere moderator bekeek alles opnieuw, en het besluit blijft zoals het was.",
     "Another moderator looked at everything anew, and the decision stays as it was."),
)  # fmt: skip
BANS = {**REFUSALS, **SUSPENSIONS}
# Grounds to close a shop for good with thirty days' notice (P2B (EU) 2019/1150, art. 4(2)). The others are of its
# art. 4(4), read with its recital 23: a duty by law, repetition, forgery and fraud, counterfeits, what is not safe.
WITH_NOTICE = frozenset(("not_sent", "goods_not_allowed", "misleading_buyers"))
ALL = {**ITEMS, **BY_ITSELF, **BANS, **PAYOUTS, **PRODUCTS, **GOOD, **UPHELD}

# What the items of a checklist are called, for mails in each language.
NAMES = {
    "contact": Words(nl="Naam en contact", en="Name and contact"),
    "identity": Words(nl="Identiteitsbewijs", en="Identity paper"),
    "register": Words(nl="Handelsregister", en="Trade register"),
    "licence": Words(nl="Vergunning", en="Licence"),
    "vat": Words(nl="Btw-nummer", en="VAT number"),
    "representative": Words(nl="Wie het bedrijf vertegenwoordigt", en="Who represents the business"),
    "eu_responsible": Words(nl="Verantwoordelijke in de EU", en="Who answers in the EU"),
    "packaging": Words(nl="Verpakkingsregister", en="Packaging register"),
    "mark": Words(nl="Merk", en="Mark"),
    "bank": Words(nl="Bankrekening", en="Bank account"),
    "tax": Words(nl="Belastinggegevens", en="Tax details"),
    "goods": Words(nl="Wat je verkoopt", en="What you sell"),
    "returns": Words(nl="Retouradres", en="Where returns go"),
    "promise": Words(nl="Belofte en voorwaarden", en="Promise and terms"),
}


def of(code: str, among: dict[str, Reason]) -> Reason | None:
    """The reason of this code, if it is one of these."""
    return among.get(code)


def spoken(code: str, words: Words) -> Words:
    """A reason with the moderator's own words after it, in every language, as the seller reads them."""
    told = ALL[code].said if code in ALL else Words()
    return Words({each: " ".join(filter(None, (told.said(each), words.said(each)))) for each in ("nl", "en")})


def unlisted(note: Words) -> Words:
    """What a moderator wrote for all of it, without the lines of `listed`: those stand at their items."""
    names = tuple(f"- {name}: " for words in NAMES.values() for name in words.values())

    def rest(text: str) -> str:
        lines = text.splitlines()
        while lines and lines[0].startswith(names):
            lines.pop(0)
        return "\n".join(lines)

    return Words({code: left for code, text in note.items() if (left := rest(text))})


def listed(steps: Sequence[tuple[str, str, Words]]) -> Words:
    """What has to be put right, one line for each item, in every language: its name, the reason, the own words."""

    def line(item: str, code: str, words: Words, language: str) -> str:
        return f"- {NAMES[item].said(language)}: {spoken(code, words).said(language)}"

    return Words({code: "\n".join(line(*step, code) for step in steps) for code in ("nl", "en")})
