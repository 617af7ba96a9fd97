"""A number is right, or the shop says which mistake it has: IBANs, VAT numbers and numbers of trade registers."""

import pytest
from flask import Flask

from shop import i18n, registers

# Where the numbers come from. "Read": found in the body's own text. "Quoted": found in a text that names the body as
# its source. "stdnum": found only in the doctests of python-stdnum 2.2. What is none of these is told so.

# Read: SWIFT, IBAN Registry (ISO 13616), release 100, "IBAN print format example" of each country of SEPA.
RIGHT = """
AD12 0001 2030 2003 5910 0100 | AL47 2121 1009 0000 0002 3569 8741 | AT61 1904 3002 3457 3201 | BE68 5390 0754 7034
BG80 BNBG 9661 1020 3456 78 | CH93 0076 2011 6238 5295 7 | CY17 0020 0128 0000 0012 0052 7600
CZ65 0800 0000 1920 0014 5399 | DE89 3704 0044 0532 0130 00 | DK50 0040 0440 1162 43 | EE38 2200 2210 2014 5685
ES91 2100 0418 4502 0005 1332 | FI21 1234 5600 0007 85 | FR14 2004 1010 0505 0001 3M02 606
GB29 NWBK 6016 1331 9268 19 | GI75 NWBK 0000 0000 7099 453 | GR16 0110 1250 0000 0001 2300 695
HR12 1001 0051 8630 0016 0 | HU42 1177 3016 1111 1018 0000 0000 | IE29 AIBK 9311 5212 3456 78
IS14 0159 2600 7654 5510 7303 39 | IT60 X054 2811 1010 0000 0123 456 | LI21 0881 0000 2324 013A A
LT12 1000 0111 0100 1000 | LU28 0019 4006 4475 0000 | LV80 BANK 0000 4351 9500 1
MC58 1122 2000 0101 2345 6789 030 | MD24 AG00 0225 1000 1310 4168 | ME25 5050 0001 2345 6789 51
MK07 2501 2000 0058 984 | MT84 MALT 0110 0001 2345 MTLC AST0 01S | NL91 ABNA 0417 1643 00 | NO93 8601 1117 947
PL61 1090 1014 0000 0712 1981 2874 | PT50 0002 0123 1234 5678 9015 4 | RO49 AAAA 1B31 0075 9384 0000
RS35 2600 0560 1001 6113 79 | SE45 5000 0000 0583 9825 7466 | SI56 2633 0001 2039 086
SK31 1200 0000 1987 4263 7541 | SM86 U032 2509 8000 0000 0270 100 | VA59 0011 2300 0012 3456 78
"""
FITS_NOT = "The check figures do not fit: a figure or letter of this IBAN is wrong, or two are swapped."
INSIDE = "The account number in this IBAN cannot be: a figure of it is wrong, or two are swapped."
FIGURE = "Character {} of this IBAN must be a figure, and is the letter {}."
LETTER = "Character {} of this IBAN must be a letter, and is the figure {}."
LENGTH = "This IBAN is too {0}: it must have {2} characters ({1}), and this one has {3}."
NO_SEPA = "This account is outside SEPA ({}), so we cannot pay to it."
NO_COUNTRY = "No country has IBANs that begin with {}. Look at the first two letters."
WRONG = {
    "": "Fill in the IBAN of the account, such as NL91 ABNA 0417 1643 00.",
    "   ": "Fill in the IBAN of the account, such as NL91 ABNA 0417 1643 00.",
    # too short, too long
    "NL91 ABNA 0417 1643 0": LENGTH.format("short", "Netherlands", 18, 17),
    "NL91 ABNA 0417 1643 000": LENGTH.format("long", "Netherlands", 18, 19),
    "BE68 5390 0754 703": LENGTH.format("short", "Belgium", 16, 15),
    "BE68 5390 0754 7034 1": LENGTH.format("long", "Belgium", 16, 17),
    "DE89 3704 0044 0532 0130 0": LENGTH.format("short", "Germany", 22, 21),
    "DE89 3704 0044 0532 0130 000": LENGTH.format("long", "Germany", 22, 23),
    "FR14 2004 1010 0505 0001 3M02 60": LENGTH.format("short", "France", 27, 26),
    "LU28 0019 4006 4475 000": LENGTH.format("short", "Luxembourg", 20, 19),
    "NL": LENGTH.format("short", "Netherlands", 18, 2),
    # a figure wrong, or two swapped
    "NL91 ABNA 0417 1643 01": FITS_NOT,
    "NL91 ABNA 0417 1634 00": FITS_NOT,
    "NL19 ABNA 0417 1643 00": FITS_NOT,
    "NL91 ABNB 0417 1643 00": FITS_NOT,
    "BE86 5390 0754 7034": FITS_NOT,
    "DE89 3704 0044 0532 0310 00": FITS_NOT,
    "FR14 2004 1010 0505 0001 3N02 606": FITS_NOT,
    "ES91 2100 0418 4502 0005 1323": FITS_NOT,
    "IT60 X054 2811 1010 0000 0123 465": FITS_NOT,
    "GB92 NWBK 6016 1331 9268 19": FITS_NOT,
    "NL00 ABNA 0417 1643 00": FITS_NOT,
    "LU28 0019 4006 4475 0001": FITS_NOT,
    # the check figures of the IBAN are right, and those of the account number within it are not
    "BE41 5390 0754 7035": INSIDE,
    "FR84 2004 1010 0505 0001 3M02 607": INSIDE,
    "ES64 2100 0418 4502 0005 1333": INSIDE,
    # a letter for a figure and the other way round
    "NL91 ABNA O417 1643 00": FIGURE.format(9, "O"),
    "NL9I ABNA 0417 1643 00": FIGURE.format(4, "I"),
    "NL91 A8NA 0417 1643 00": LETTER.format(6, 8),
    "NL91 0417 1643 00AB NA": LETTER.format(5, 0),
    "DE89 3704 0044 0532 O130 00": FIGURE.format(17, "O"),
    "GB29 NWBK 6016 133I 9268 19": FIGURE.format(16, "I"),
    "IT60 5054 2811 1010 0000 0123 456": LETTER.format(5, 5),
    # the country
    "91ABNA0417164300": "An IBAN begins with the two letters of a country, such as NL.",
    "ABNANL2A": NO_COUNTRY.format("AB"),
    "XX91 ABNA 0417 1643 00": NO_COUNTRY.format("XX"),
    "ND91 ABNA 0417 1643 00": NO_COUNTRY.format("ND"),
    "US64 1234 5678 9012 3456": NO_COUNTRY.format("US"),
    "TR33 0006 1005 1978 6457 8413 26": NO_SEPA.format("Türkiye"),
    "SA03 8000 0000 6080 1016 7519": NO_SEPA.format("Saudi Arabia"),
    "AE07 0331 2345 6789 0123 456": NO_SEPA.format("United Arab Emirates"),
    # other signs
    "NL91 ABNA 0417 1643 0€": "An IBAN has only letters and figures, and no “€”.",
    "NL91_ABNA_0417_1643_00": "An IBAN has only letters and figures, and no “_”.",
    "NL91 ABNA 0417 1643 \u0660\u0660": "An IBAN has only letters and figures, and no “\u0660”.",
}
SWAPPED = "a figure is wrong, or two are swapped."
VAT_SWAPPED = "a figure of this VAT number is wrong, or two are swapped."


@pytest.fixture(scope="module", autouse=True)
def speaking():
    """Who checks a number speaks some language; it needs no database."""
    app = Flask("numbers")
    i18n.init_app(app)
    with app.app_context():
        yield


def test_the_example_of_every_country_of_sepa_is_right():
    ibans = [iban.strip() for iban in RIGHT.replace("\n", "|").split("|") if iban.strip()]
    assert len(ibans) == 42
    assert [(iban, wrong) for iban in ibans if (wrong := registers.iban_error(iban))] == []


@pytest.mark.parametrize(("iban", "words"), WRONG.items())
def test_a_wrong_iban_is_told_its_mistake(iban, words):
    assert len(WRONG) >= 40
    assert registers.iban_error(iban) == words


def test_an_iban_is_read_as_people_write_it():
    for typed in (
        "nl91abna0417164300",
        "IBAN: NL91 ABNA 0417 1643 00",
        "NL91-ABNA-0417-1643-00",
        "NL91.ABNA 0417164300\n",
    ):
        assert registers.normal_iban(typed) == "NL91ABNA0417164300"
        assert registers.iban_error(typed) is None


def test_the_bank_of_an_iban_has_a_name_and_a_bic_where_that_is_known():
    assert registers.bank_of("NL91 ABNA 0417 1643 00") == ("ABN AMRO BANK N.V.", "ABNANL2A")
    assert registers.bank_of("SI56 2633 0001 2039 086") == ("", "")


@pytest.mark.parametrize(
    ("country", "number", "kept"),
    [
        ("NL", "NL000099998B57", "NL000099998B57"),  # quoted: Belastingdienst, "2 nummers voor de btw", btw-id
        ("NL", "nl 0044.95.445.b.01", "NL004495445B01"),  # no source found: it fits the rule of eleven
        ("NL", "004495445B01", "NL004495445B01"),
        (
            "BE",
            "BE 0314.595.348",
            "BE0314595348",
        ),  # of the FPS Economy (keeper of the register), not re-read
        ("BE", "0203.201.340", "BE0203201340"),  # of the National Bank of Belgium: their own, not re-read
        ("DE", "DE 136 695 976", "DE136695976"),  # stdnum; the rule: read, BGBl. 1993 I 736, Anlage 3 zu § 9 ZMDV
        ("FR", "FR 83 404 833 048", "FR83404833048"),  # second hand: reckoned through in explanations of the key
        ("FR", "FR40303265045", "FR40303265045"),  # stdnum
        ("FR", "FRK7399859412", "FRK7399859412"),  # stdnum, a number of the new kind
        ("LU", "LU 150 274 42", "LU15027442"),
        ("GR", "GR 123456783", "EL123456783"),
        ("GR", "EL 123456783", "EL123456783"),
        ("IE", "IE6433435OA", "IE6433435OA"),
        ("ES", "ES X-2482300-W", "ESX2482300W"),
        ("GB", "980 7806 84", "GB980780684"),
        ("GB", "XI 110 305 878", "XI110305878"),
        ("CH", "CHE-116.281.710 MWST", "CHE116281710MWST"),
    ],
)
def test_a_right_vat_number_is_taken_and_kept_in_one_way(country, number, kept):
    assert registers.vat_error(country, number) is None
    assert registers.normal_vat(country, number) == kept


def test_the_example_that_is_shown_for_each_country_is_a_right_number():
    for country in registers._VAT:
        assert registers.vat_error(country, registers._example(country)) is None, country


@pytest.mark.parametrize(
    ("country", "number", "words"),
    [
        ("NL", "", "Fill in the VAT number, such as NL000099998B57."),
        ("CH", "", "Fill in the VAT number, such as NL000099998B57."),
        ("NL", "NL000099998B58", VAT_SWAPPED),
        ("NL", "NL000099989B57", VAT_SWAPPED),
        ("NL", "NL000099998B5", "too short: NL000099998B57 has 14 characters, and this one has 13."),
        ("NL", "NL000099998B570", "too long: NL000099998B57 has 14 characters, and this one has 15."),
        ("NL", "NL000099998857", "A VAT number looks like NL000099998B57 (Netherlands)"),
        (
            "NL",
            "BE0314595348",
            "This is a VAT number of another country (Belgium). Give the one that begins with NL (Netherlands).",
        ),
        ("NL", "EL123456783", "This is a VAT number of another country (Greece). Give the one that begins with NL"),
        ("BE", "BE0314595349", VAT_SWAPPED),
        ("BE", "BE0314595384", VAT_SWAPPED),
        ("BE", "BE314595348", "too short: BE0123456749 has 12 characters, and this one has 11."),
        ("BE", "BE9314595348", "A VAT number looks like BE0123456749 (Belgium)"),
        ("DE", "DE136695967", VAT_SWAPPED),
        ("DE", "DE13669597", "too short: DE123456788 has 11 characters, and this one has 10."),
        ("DE", "DE1366959766", "too long: DE123456788 has 11 characters, and this one has 12."),
        ("DE", "DE13669597O", "A VAT number looks like DE123456788 (Germany)"),
        ("FR", "FR84404833048", VAT_SWAPPED),
        ("FR", "FR83404833084", VAT_SWAPPED),
        ("FR", "FRIO334175221", "A VAT number looks like FR83404833048 (France)"),
        ("FR", "404833048", "too short: FR83404833048 has 13 characters, and this one has 11."),
        ("GR", "123456782", VAT_SWAPPED),
        ("GB", "XI110305879", VAT_SWAPPED),
        ("CH", "x", "A VAT number has 4 to 20 letters and figures."),
        ("DE", "DE13669597\u0666", "A VAT number looks like DE123456788 (Germany)"),
    ],
)
def test_a_wrong_vat_number_is_told_its_mistake(country, number, words):
    assert words in (registers.vat_error(country, number) or "nothing is wrong")


@pytest.mark.parametrize(
    ("register", "number"),
    [
        ("KVK", "6875 0110"),  # read: KVK, developers.kvk.nl, "Test BV Donald" of the test register
        ("KBO", "0314.595.348"),  # FPS Economy, not re-read
        ("KBO", "BE 0203 201 340"),  # National Bank of Belgium, not re-read
        ("KBO", "403.019.261"),  # stdnum; nine figures, from before 2005
        ("HRB", "HRB 12345"),
        ("HRB", "Amtsgericht Köln HRB 12345 B"),
        ("HRB", "hra123"),
        ("SIREN", "732 829 320"),  # quoted: INSEE, control by the key 1-2 (Luhn), reckoned through
        ("SIREN", "404 833 048"),  # stdnum
        ("SIRET", "732 829 320 00074"),  # quoted: INSEE, definition of the SIRET
        ("SIRET", "356 000 000 00048"),  # stdnum; La Poste, whose other sites have a rule of their own
        ("RCS", "RCS Nancy B 323 159 715"),  # stdnum
        ("RCS", "552 008 443"),  # stdnum
        ("RCS", "73282932000074"),
        ("RCSL", "B123456"),
        ("OTHER", "CHE-116.281.710"),
    ],
)
def test_a_right_number_of_a_register_is_taken(register, number):
    assert registers.company_error(register, number) is None


@pytest.mark.parametrize(
    ("register", "number", "words"),
    [
        ("KVK", " ", "Fill in the number."),
        ("KVK", "687501", "This number is too short: it has 8 figures, and here are 6."),
        ("KVK", "687501101", "This number is too long: it has 8 figures, and here are 9."),
        ("KVK", "000037178598", "This is the number of a branch, with 12 figures."),
        ("KVK", "6875011O", "This number has only figures, and no “O”."),
        ("KBO", "0314.595.384", SWAPPED),
        ("KBO", "5314.595.348", "A Belgian enterprise number begins with 0 or 1."),
        ("KBO", "0314.595.34", "This number is too short: it has 10 figures, and here are 9."),
        ("HRB", "12345", "Begin with HRA or HRB"),
        ("HRB", "HRB", "A number in the Handelsregister looks like HRB 12345."),
        ("SIREN", "732 829 302", SWAPPED),
        ("SIREN", "7", "This number is too short: it has 9 figures, and here is 1."),
        ("SIRET", "732 829 320 00047", SWAPPED),
        ("SIRET", "732 829 320 0007", "This number is too short: it has 14 figures, and here are 13."),
        ("RCS", "RCS Nancy B 323 159 751", SWAPPED),
        ("RCS", "RCS Nancy", "This number has only figures, and no “R”."),
        ("RCSL", "123456", "a letter and up to 6 figures: B123456."),
        ("OTHER", "none", "letters and figures, 3 to 40 of them"),
    ],
)
def test_a_wrong_number_of_a_register_is_told_its_mistake(register, number, words):
    assert words in (registers.company_error(register, number) or "nothing is wrong")


@pytest.mark.parametrize("figure", range(9))
def test_one_wrong_figure_in_a_siren_is_always_seen(figure):
    right = "732829320"
    wrong = right[:figure] + str((int(right[figure]) + 1) % 10) + right[figure + 1 :]
    assert SWAPPED in (registers.company_error("SIREN", wrong) or "")
