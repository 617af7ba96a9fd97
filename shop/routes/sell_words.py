"""The words of an application to sell: its kinds, its items, its papers, and what each is for."""

from __future__ import annotations

from shop.checklist import Item
from shop.i18n import _l
from shop.models import PaperKind, SellerKind, StockKind

KINDS = {
    SellerKind.INDIVIDUAL: _l("A private person: I sell what I made or own"),
    SellerKind.BUSINESS: _l("A business, registered as such"),
    SellerKind.BRAND: _l("A brand: a business that sells under its own mark"),
}
STOCKS = {
    StockKind.OWN_STOCK: _l("With me: I pack and send it"),
    StockKind.SUPPLIER_SHIPS: _l("With a supplier, who sends it to the buyer"),
    StockKind.MADE_TO_ORDER: _l("Nowhere yet: it is made after the order"),
}
REGISTERS = {
    "KVK": _l("KvK, the Netherlands (8 digits)"),
    "KBO": _l("KBO/BCE, Belgium (10 digits)"),
    "HRB": _l("Handelsregister, Germany (HRB or HRA and a number)"),
    "RCS": _l("SIREN, France (9 digits)"),
    "RCSL": _l("RCS, Luxembourg (a letter and a number)"),
    "OTHER": _l("The trade register of another country"),
}
OF_COUNTRY = {"NL": "KVK", "BE": "KBO", "DE": "HRB", "FR": "RCS", "LU": "RCSL"}
PAPERS = {
    PaperKind.FRONT: _l("Identity paper, front"),
    PaperKind.BACK: _l("Identity paper, back"),
    PaperKind.EXTRACT: _l("Extract from the register"),
    PaperKind.LICENCE: _l("Licence to trade"),
    PaperKind.MARK: _l("Proof that the mark is yours"),
}
PAID_BY = {"buyer": _l("The buyer pays for sending it back"), "seller": _l("I pay for sending it back")}
PACKAGING = {
    "DE": (r"DE\d{13}", _l("LUCID number, such as DE1234567890123")),
    "FR": (r"FR\d{6}_\d{2}[A-Z]{4}", _l("IDU of the packaging branch, such as FR123456_01ABCD")),
}
SHOWN = _l("Buyers see it beside your goods. Gone six months after you stop selling, or after a refusal.")
CHECKED = _l("To look up whether it is yours. Gone six months after you stop selling, or after a refusal.")
INSIDE = _l("Only we see it. Gone six months after you stop selling, or after a refusal.")
SEALED = _l(
    "For the tax office, once a year. Sealed; gone seven years after your last sale, or 180 days after a refusal."
)
TAX_NUMBER = _l(
    "For the tax office, once a year. In the Netherlands: your BSN, or the RSIN of the business. Sealed, so that we see"
    " its last three; gone seven years after your last sale, or 180 days after a refusal."
)
ITEMS = {
    Item.CONTACT: _l("Name, address and e-mail"),
    Item.IDENTITY: _l("Identity paper"),
    Item.REGISTER: _l("Trade register"),
    Item.LICENCE: _l("Licence to trade"),
    Item.VAT: _l("VAT number"),
    Item.REPRESENTATIVE: _l("Who acts for the business"),
    Item.EU_RESPONSIBLE: _l("Who answers in the European Union"),
    Item.PACKAGING: _l("Packaging register"),
    Item.MARK: _l("Your mark"),
    Item.BANK: _l("Bank account"),
    Item.TAX: _l("Tax details"),
    Item.GOODS: _l("What you sell"),
    Item.RETURNS: _l("Returns"),
    Item.PROMISE: _l("Promise and terms"),
}
AT_HAND = {
    Item.CONTACT: _l("An address, a telephone number, and an e-mail address that you can read now"),
    Item.IDENTITY: _l("Your passport, identity card or driving licence, to photograph both sides"),
    Item.REGISTER: _l("Your number in the trade register, and an extract not older than three months"),
    Item.LICENCE: _l("The licence by which you may trade in your country"),
    Item.VAT: _l("Your VAT number, if you have one"),
    Item.REPRESENTATIVE: _l("The name of who acts for the business"),
    Item.EU_RESPONSIBLE: _l("Somebody in the European Union who answers for the safety of your goods"),
    Item.PACKAGING: _l("Your number in the packaging register of your country"),
    Item.MARK: _l("A certificate of your mark, or a letter of its owner"),
    Item.BANK: _l("The IBAN of an account in your name"),
    Item.TAX: _l("The number under which you pay income tax; in the Netherlands your BSN, or the RSIN of the business"),
    Item.GOODS: _l("An idea of what you want to sell"),
    Item.RETURNS: _l("An address in the European Union where things can be sent back to"),
    Item.PROMISE: _l("A minute to read the terms"),
}
ABOUT = {
    Item.CONTACT: _l("The law wants buyers to know who sells to them (Digital Services Act, art. 30)."),
    Item.IDENTITY: _l("It shows that you are who you say (Digital Services Act, art. 30)."),
    Item.REGISTER: _l("It shows that the business exists. We look the number up."),
    Item.LICENCE: _l("Who sells from outside the European Union shows by what they may trade."),
    Item.VAT: _l("It stands on what buyers get, and we look it up. Many small sellers need none."),
    Item.REPRESENTATIVE: _l("So that we know whom to write to, and that they may speak for the business."),
    Item.EU_RESPONSIBLE: _l("Goods from outside the European Union need somebody in it (Product Safety, art. 16)."),
    Item.PACKAGING: _l("In your country nobody may sell packed goods without this number."),
    Item.MARK: _l("Who sells as a brand shows that the mark is theirs, so that nobody borrows a name."),
    Item.BANK: _l("What you earn goes there. Your bank tells us whether the name fits."),
    Item.TAX: _l("Once a year we tell the tax office what we paid to whom (DAC7). No moderator can read these."),
    Item.GOODS: _l("A moderator looks at this first. Your products you put in later."),
    Item.RETURNS: _l("Here buyers may send things back within 14 days or more, to an address in the European Union."),
    Item.PROMISE: _l("The law asks for this promise before you sell (Digital Services Act, art. 30)."),
}
STATES = {
    "missing": _l("Missing"),
    "given": _l("Told"),
    "accepted": _l("Accepted"),
    "fix": _l("To be fixed"),
}
