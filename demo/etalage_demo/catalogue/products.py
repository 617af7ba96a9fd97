"""Thirty products in eight categories. Every product of a category fills in the same specifications, so that they compare."""
from ..looks import LOOKS, pictures_of
from .accounts import address, both
from .prices import BEFORE, PRICES

CATEGORIES = [
    {"slug": "shoes", "name": both("Schoenen", "Shoes"), "specs": [
        ("upper", both("Bovenwerk", "Upper")), ("sole", both("Zool", "Sole")), ("weight_g", both("Gewicht per schoen (g)", "Weight per shoe (g)")),
        ("closure", both("Sluiting", "Closure")), ("water", both("Waterdicht", "Waterproof")), ("care", both("Onderhoud", "Care"))], "requires": ["upper", "sole"]},
    {"slug": "bags", "name": both("Tassen & reizen", "Bags & travel"), "specs": [
        ("material", both("Materiaal", "Material")), ("volume_l", both("Inhoud (l)", "Volume (l)")), ("size_cm", both("Afmetingen (cm)", "Size (cm)")),
        ("weight_g", both("Gewicht (g)", "Weight (g)")), ("pockets", both("Vakken", "Pockets")), ("water", both("Waterafstotend", "Water-repellent"))], "requires": ["material"]},
    {"slug": "fashion", "name": both("Kleding & accessoires", "Clothes & accessories"), "specs": [
        ("material", both("Materiaal", "Material")), ("weight_g", both("Gewicht (g)", "Weight (g)")), ("fit", both("Pasvorm", "Fit")),
        ("care", both("Onderhoud", "Care")), ("made_in", both("Gemaakt in", "Made in"))], "requires": ["material"]},
    {"slug": "beauty", "name": both("Verzorging", "Care & beauty"), "specs": [
        ("content", both("Inhoud", "Content")), ("scent", both("Geur", "Scent")), ("vegan", both("Vegan", "Vegan")),
        ("after_opening", both("Houdbaar na openen", "Period after opening")), ("packaging", both("Verpakking", "Packaging")),
        ("ingredients", both("Ingrediënten", "Ingredients"))], "requires": ["content", "ingredients", "after_opening"]},
    {"slug": "home", "name": both("Wonen", "Home"), "specs": [
        ("material", both("Materiaal", "Material")), ("size_cm", both("Afmetingen (cm)", "Size (cm)")), ("weight_g", both("Gewicht (g)", "Weight (g)")),
        ("use", both("Gebruik", "Use")), ("care", both("Onderhoud", "Care"))], "requires": ["material"]},
    {"slug": "food", "name": both("Eten & drinken", "Food & drink"), "specs": [
        ("net", both("Netto-inhoud", "Net content")), ("origin", both("Herkomst", "Origin")), ("ingredients", both("Ingrediënten", "Ingredients")),
        ("allergens", both("Allergenen", "Allergens")), ("kcal_100", both("Energie per 100 g/ml (kcal)", "Energy per 100 g/ml (kcal)")), ("keeps", both("Houdbaar", "Keeps"))], "requires": ["net", "origin", "ingredients", "allergens", "keeps"]},
    {"slug": "tech", "name": both("Geluid & beeld", "Sound & vision"), "specs": [
        ("battery_h", both("Batterij (uur)", "Battery (hours)")), ("charging", both("Opladen", "Charging")), ("connection", both("Verbinding", "Connection")),
        ("weight_g", both("Gewicht (g)", "Weight (g)")), ("in_box", both("In de doos", "In the box")), ("ce", both("CE-markering", "CE marking"))], "requires": ["ce"]},
    {"slug": "play", "name": both("Spelen & bewegen", "Play & move"), "specs": [
        ("age", both("Leeftijd", "Age")), ("material", both("Materiaal", "Material")), ("weight_g", both("Gewicht (g)", "Weight (g)")),
        ("max_load", both("Maximale belasting", "Maximum load")), ("standard", both("Norm", "Standard")), ("ce", both("CE-markering", "CE marking"))], "requires": ["age", "material", "ce", "warnings"]},
]

WOLKSTAP = {"name": "Wolkstap B.V. (fictief)", "address": address("Wolkenkade 8", "3511 ZZ", "Utrecht", "NL"), "email": "safety@wolkstap.example"}
ATELIER = {"name": "Atelier Rio Claro Lda. (fictício)", "address": address("Rua do Tear 40", "4800-000", "Guimarães", "PT"), "email": "qualidade@atelierrioclaro.example"}
TOOS = {"name": "T. Fictief (particulier)", "address": address("Breipenstraat 7", "8011 ZZ", "Zwolle", "NL"), "email": "toos@tante-toos.example"}
HUIS = {"name": "Huis van Smaak BV (fictief)", "address": address("Proeflokaalstraat 21", "9000", "Gent", "BE"), "email": "kwaliteit@huisvansmaak.example"}
KIRA = {"name": "Kira Keramiek (fictief)", "address": address("Ovenpad 15", "2611 ZZ", "Delft", "NL"), "email": "kira@keramiek.example"}
FACTORY = {"name": "Lantern Harbour Electronics Co., Ltd. (fictitious)", "address": address("Block 7, Harbour Industrial Park, Bao'an", "518100", "Shenzhen", "CN"), "email": "compliance@lanternharbour.example"}
LOKET = {"name": "Loket Europa Productveiligheid B.V. (fictief)", "address": address("Loodskade 44", "3089 ZZ", "Rotterdam", "NL"), "email": "rp@loketeuropa.example"}

MENDED = both("Laat een steek los? Dan naai of brei ik hem een jaar lang gratis vast.", "A stitch comes loose? For a year I mend it for nothing.")  # a private person: her own promise, and no guarantee of the law

SELLERS = {  # handle: stock kind, ships from, handling days, delivery promise (days, days, cents, free from), maker, responsible person
    "wolkstap": ("own_stock", ("NL", "Tiel"), 1, (1, 2, 395, 5000), WOLKSTAP, WOLKSTAP), "tante.toos": ("made_to_order", ("NL", "Zwolle"), 7, (8, 10, 495, None), TOOS, TOOS),
    "huis.van.smaak": ("own_stock", ("BE", "Gent"), 2, (2, 4, 495, 4000), HUIS, HUIS), "brightpeak.audio": ("supplier_ships", ("CN", "Shenzhen"), 4, (8, 14, 0, 0), FACTORY, LOKET),
    "kira.keramiek": ("made_to_order", ("NL", "Delft"), 14, (15, 18, 695, None), KIRA, KIRA),
}
COLORS = {
    "lilac": both("lila", "lilac"), "mint": both("mint", "mint"), "peach": both("perzik", "peach"), "tan": both("cognac", "tan"), "red": both("rood", "red"), "blue": both("blauw", "blue"),
    "moss": both("mos", "moss"), "coral": both("koraal", "coral"), "teal": both("petrol", "teal"), "indigo": both("indigo", "indigo"), "cocoa": both("cacao", "cocoa"), "green": both("groen", "green"),
    "plum": both("pruim", "plum"), "pink": both("roze", "pink"), "sage": both("salie", "sage"), "lime": both("limoen", "lime"), "sky": both("lucht", "sky"), "mandarin": both("mandarijn", "mandarin"),
    "fern": both("varen", "fern"), "raspberry": both("framboos", "raspberry"), "grape": both("druif", "grape"), "forest": both("bos", "forest"), "black": both("zwart", "black"), "amber": both("amber", "amber"),
    "rust": both("roest", "rust"), "fuchsia": both("fuchsia", "fuchsia"), "terra": both("terra", "terra"), "rose": both("roos", "rose"), "sea": both("zee", "sea"), "cream": both("crème", "cream"),
    "terracotta": both("terracotta", "terracotta"), "brown sugar": both("bruine suiker", "brown sugar"), "taro": both("taro", "taro"), "dark": both("donker", "dark"), "white": both("wit", "white"),
    "graphite": both("grafiet", "graphite"), "silver": both("zilver", "silver"), "honey": both("honing", "honey"), "grey": both("grijs", "grey"), "violet": both("violet", "violet"),
}


def variants(slug, sizes, stock):
    """Every colour in every size. stock: repeated when it is shorter than the list."""
    pairs = [(color, size) for color in LOOKS[slug].colors for size in sizes or [None]]
    pictures = pictures_of(slug)
    return [{"sku": "-".join(filter(None, (slug, color.replace(" ", "_") if len(LOOKS[slug].colors) > 1 else None, str(size).lower().replace(" ", "") if size else None))),
             "color": COLORS[color], "size": size, "price_cents": PRICES[slug], "stock": stock[i % len(stock)],
             "picture": f"products/{pictures[0] if color == next(iter(LOOKS[slug].colors)) else pictures[2]}"} for i, (color, size) in enumerate(pairs)]


def product(slug, seller, category, title, text, specs, stock, sizes=None, vat=21, guarantee=None, **more):
    """specs: one value per specification of the category, in that order; a pair is (Dutch, English)."""
    kind, (country, city), handling, promise, maker, responsible = SELLERS[seller]
    keys = [key for key, _ in next(c for c in CATEGORIES if c["slug"] == category)["specs"]]
    if len(keys) != len(specs):
        raise ValueError(f"{slug}: {len(specs)} specifications, {category} has {len(keys)}")
    return {"slug": slug, "seller": seller, "category": category, "status": "live", "title": both(*title), "description": both(*text),
            "price_cents": PRICES[slug], "before": before(slug), "currency": "EUR", "vat_included": True, "vat_rate": vat, "variants": variants(slug, sizes, stock),
            "pictures": [{"file": f"products/{name}", "alt": alt(title, name)} for name in pictures_of(slug)],
            "specs": {key: both(*value) if isinstance(value, tuple) else value for key, value in zip(keys, specs)},
            "ships_from": {"country": country, "city": city}, "stock_kind": kind, "handling_days": handling,
            "delivery": dict(zip(("min_days", "max_days", "cost_cents", "free_from_cents"), promise)),
            "maker": maker, "eu_responsible_person": responsible, "warnings": None,
            "guarantee": guarantee or both("Wettelijke garantie (2 jaar)", "Statutory guarantee (2 years)")} | more


def before(slug):
    cents, days_ago = BEFORE.get(slug, (None, None))
    return {"price_cents": cents, "days_ago": days_ago} if cents else None


def alt(title, name):
    view = name.rsplit("-", 1)[1].removesuffix(".webp")
    nl, en = {"studio": ("studiofoto", "studio picture"), "close": ("van dichtbij", "close up"), "colors": ("alle kleuren", "all colours"), "size": ("met maten", "with measurements")}[view]
    return both(f"{title[0]}, {nl}", f"{title[1]}, {en}")


FOOD = both("Ten minste houdbaar tot de datum op de verpakking", "Best before the date on the pack")
PRODUCTS = [
    product("wolk-sneaker", "wolkstap", "shoes", ("Wolk sneaker", "Wolk sneaker"),
            ("Een sneaker van 180 gram met een gebreid bovenwerk dat meebuigt. De dikke zool veert, maar staat stil als jij stilstaat. Valt normaal; zit je ertussen, neem dan de grotere maat.",
             "A 180 gram sneaker with a knit upper that bends along. The thick sole springs, but stands still when you do. Fits true to size; between sizes, take the larger one."),
            (("gerecycled polyester, gebreid", "recycled polyester, knit"), "EVA", 180, ("veters", "laces"), ("nee", "no"), ("koud met de hand", "cold hand wash")),
            [9, 14, 22, 18, 4, 0, 7, 12, 15, 3, 1, 8], sizes=["37", "39", "41", "43"]),
    product("hiking-boot", "wolkstap", "shoes", ("Heide wandelschoen", "Heide hiking boot"),
            ("Halfhoge wandelschoen van geolied nubuck voor modderpaden en lange dagen. Loop hem een week in voor je de Veluwe op gaat.",
             "Mid-high hiking boot in oiled nubuck for muddy paths and long days. Break it in for a week before you take on the hills."),
            (("geolied nubuck", "oiled nubuck"), ("natuurrubber, diep profiel", "natural rubber, deep lugs"), 540, ("veters met haken", "laces with hooks"), ("ja, membraan", "yes, membrane"), ("borstelen en invetten", "brush and wax")),
            [6, 8, 11, 9, 5, 2], sizes=["38", "40", "42", "43", "44", "46"], maker=ATELIER),
    product("rain-boot", "wolkstap", "shoes", ("Plons regenlaars", "Plons rain boot"),
            ("Laars van natuurrubber met een klein hakje. Droog tot de knie, en netjes genoeg om binnen aan te houden. Schachthoogte 28 cm, meet even tot waar dat bij jou komt.",
             "Natural rubber boot with a small heel. Dry up to the knee, and neat enough to keep on indoors. Shaft height 28 cm; measure where that reaches on you."),
            (("natuurrubber", "natural rubber"), ("rubber, antislip", "rubber, anti-slip"), 690, ("instap", "pull-on"), ("ja", "yes"), ("afspoelen met water", "rinse with water")),
            [10, 12, 3, 8, 0, 6, 5, 9, 2], sizes=["36", "39", "42"], maker=ATELIER),
    product("flip-flop", "wolkstap", "shoes", ("Duin slipper", "Duin flip-flop"),
            ("Slipper met een voetbed van kurk dat na een paar dagen jouw voet kent.", "Flip-flop with a cork footbed that knows your foot after a few days."),
            (("gerecycled rubber", "recycled rubber"), ("kurk en rubber", "cork and rubber"), 160, ("instap", "slip-on"), ("mag nat worden", "may get wet"), ("afspoelen", "rinse")),
            [20, 26, 14, 8, 12, 5], sizes=["37-38", "39-40", "41-42"]),
    product("backpack", "wolkstap", "bags", ("Dagtocht rugzak 22 l", "Dagtocht backpack 22 l"),
            ("Rugzak met een apart laptopvak, een zijvak dat een fles vasthoudt en een hoes tegen echte regen onderin.",
             "Backpack with a separate laptop sleeve, a side pocket that holds a bottle and a cover for real rain in the bottom."),
            (("gerecycled nylon", "recycled nylon"), 22, "30 x 44 x 15", 780, ("4, laptop tot 15 inch", "4, laptop up to 15 inch"), ("ja, hoes inbegrepen", "yes, cover included")), [17, 9, 4]),
    product("handbag", "wolkstap", "bags", ("Kade handtas", "Kade handbag"),
            ("Handtas van plantaardig gelooid leer met één groot vak en een ritsvak voor sleutels. Het leer wordt mooier door gebruik; krasjes horen erbij.",
             "Handbag in vegetable-tanned leather with one large compartment and a zip pocket for keys. The leather improves with use; scratches belong to it."),
            (("plantaardig gelooid leer", "vegetable-tanned leather"), 9, "29 x 24 x 12", 820, ("2", "2"), ("nee", "no")), [5], maker=ATELIER),
    product("suitcase", "wolkstap", "bags", ("Perron handbagagekoffer 38 l", "Perron cabin case 38 l"),
            ("Harde koffer van 2,6 kilo met vier stille wielen. Past in de maat van de meeste luchtvaartmaatschappijen, meet voor de zekerheid na.",
             "Hard case of 2.6 kilos with four quiet wheels. Fits most airlines' cabin size; measure to be sure."),
            (("polycarbonaat", "polycarbonate"), 38, "36 x 55 x 22", 2600, ("2 helften, 1 netvak", "2 halves, 1 mesh pocket"), ("ja", "yes")), [8, 3, 6],
            guarantee=both("5 jaar op wielen en slot, daarnaast de wettelijke garantie", "5 years on wheels and lock, on top of the statutory guarantee")),
    product("pouch", "tante.toos", "bags", ("Genaaide toilettas", "Sewn wash bag"),
            ("Toilettas van gewatteerd katoen, genaaid nadat je bestelt. Kies een kleur; het voeringstofje is elke keer een verrassing.",
             "Wash bag in quilted cotton, sewn after you order. Choose a colour; the lining is a surprise every time."),
            (("gewatteerd katoen", "quilted cotton"), 2, "22 x 16 x 8", 110, ("1", "1"), ("nee", "no")), [6, 6], guarantee=MENDED),
    product("tshirt", "wolkstap", "fashion", ("Zwaar katoenen T-shirt", "Heavy cotton T-shirt"),
            ("T-shirt van 220 grams katoen met een boord die niet lubbert. Krimpt de eerste keer ongeveer 2%.", "T-shirt in 220 gram cotton with a collar that keeps its shape. Shrinks about 2% in the first wash."),
            (("100% biologisch katoen", "100% organic cotton"), 220, ("recht", "straight"), ("30 °C, niet in de droger", "30 °C, do not tumble dry"), ("Portugal", "Portugal")),
            [14, 18, 9, 11, 6, 2, 8, 0, 5], sizes=["S", "M", "L"], maker=ATELIER),
    product("cap", "wolkstap", "fashion", ("Vijfkleurenpet", "Five-colour cap"),
            ("Pet van gewassen katoen met een verstelbaar bandje. Eén maat, vijf kleuren, geen logo.", "Cap in washed cotton with an adjustable strap. One size, five colours, no logo."),
            (("gewassen katoen", "washed cotton"), 85, ("verstelbaar 54-62 cm", "adjustable 54-62 cm"), ("30 °C", "30 °C"), ("Portugal", "Portugal")), [24, 13, 8, 16, 3], maker=ATELIER),
    product("scarf", "tante.toos", "fashion", ("Handgebreide sjaal", "Hand-knitted scarf"),
            ("Sjaal van merinowol, 180 cm lang, gebreid nadat je bestelt. Prikt niet; ik heb hem zelf de hele winter om.",
             "Merino scarf, 180 cm long, knitted after you order. Does not itch; I wear mine all winter."),
            (("100% merinowol", "100% merino wool"), 260, ("25 x 180 cm", "25 x 180 cm"), ("wolwas, plat drogen", "wool wash, dry flat"), ("Nederland", "the Netherlands")), [4, 4], guarantee=MENDED),
    product("sunglasses", "wolkstap", "fashion", ("Dijk zonnebril UV400", "Dijk sunglasses UV400"),
            ("Zonnebril met gepolariseerde glazen, filtercategorie 3. Niet geschikt om bij schemer mee te rijden.", "Sunglasses with polarised lenses, filter category 3. Not suitable for driving at dusk."),
            (("bio-acetaat", "bio-acetate"), 28, ("middel, 145 mm", "medium, 145 mm"), ("doekje inbegrepen", "cloth included"), ("Italië", "Italy")), [19, 7]),
    product("watch", "wolkstap", "fashion", ("Getij horloge 40 mm", "Getij watch 40 mm"),
            ("Horloge met saffierglas, een kroon die je vastschroeft en een band die je zonder gereedschap wisselt.",
             "Watch with sapphire glass, a screw-down crown and a strap you swap without tools."),
            (("staal, saffierglas, siliconen", "steel, sapphire glass, silicone"), 74, ("40 mm, pols 14-21 cm", "40 mm, wrist 14-21 cm"), ("afspoelen na zee", "rinse after the sea"), ("Duitsland", "Germany")), [5, 2],
            guarantee=both("3 jaar op het uurwerk, daarnaast de wettelijke garantie", "3 years on the movement, on top of the statutory guarantee")),
    product("lipstick", "huis.van.smaak", "beauty", ("Navulbare lippenstift", "Refillable lipstick"),
            ("Lippenstift in vier tinten, in een metalen huls die je bewaart. Navullingen klikken erin.", "Lipstick in four shades, in a metal case you keep. Refills click in."),
            ("3,5 g", ("zonder parfum", "fragrance-free"), ("ja", "yes"), ("12 maanden", "12 months"), ("metaal, navulbaar", "metal, refillable"),
             "ricinus communis seed oil, cera alba, mica, CI 77491"), [12, 9, 0, 15]),
    product("lotion", "huis.van.smaak", "beauty", ("Handlotion amandel", "Almond hand lotion"),
            ("Lichte handlotion die snel intrekt. Bevat amandelolie.", "Light hand lotion that sinks in fast. Contains almond oil."),
            ("250 ml", ("amandel", "almond"), ("ja", "yes"), ("9 maanden", "9 months"), ("gerecycled plastic, pomp", "recycled plastic, pump"),
             "aqua, prunus amygdalus dulcis oil, glycerin, cetearyl alcohol"), [31],
            warnings=both("Bevat notenolie. Alleen voor uitwendig gebruik.", "Contains nut oil. For external use only.")),
    product("soap", "huis.van.smaak", "beauty", ("Blok zeep", "Soap bar"),
            ("Koudgeroerde zeep die zes weken heeft gerijpt. Laat hem drogen tussen het gebruik, dan doe je er twee maanden mee.",
             "Cold-process soap, cured for six weeks. Let it dry between uses and it lasts two months."),
            ("110 g", ("roos of zeewier", "rose or seaweed"), ("ja", "yes"), ("12 maanden", "12 months"), ("papier", "paper"), "sodium olivate, sodium cocoate, aqua, parfum"), [44, 38]),
    product("candle", "huis.van.smaak", "home", ("Sojakaars 40 uur", "Soy candle 40 hours"),
            ("Kaars van sojawas met een katoenen lont. Brandt ongeveer 40 uur als je de lont kort houdt.", "Soy wax candle with a cotton wick. Burns about 40 hours if you keep the wick short."),
            (("sojawas, katoen", "soy wax, cotton"), "7 x 15", 420, ("binnen", "indoors"), ("lont op 5 mm knippen", "trim wick to 5 mm")), [27],
            warnings=both("Laat een brandende kaars nooit alleen. Buiten bereik van kinderen en dieren.", "Never leave a burning candle alone. Keep away from children and pets.")),
    product("plant", "huis.van.smaak", "home", ("Kamerplant in terracotta", "House plant in terracotta"),
            ("Makkelijke plant in een potje van ongeglazuurd terracotta. Eén keer per week water; liever te weinig dan te veel.",
             "Easy plant in an unglazed terracotta pot. Water once a week; rather too little than too much."),
            (("terracotta, potgrond", "terracotta, potting soil"), "16 x 34", 1450, ("binnen, halfschaduw", "indoors, half shade"), ("wekelijks water", "water weekly")), [3], vat=9,
            warnings=both("Niet eetbaar, ook niet voor katten.", "Not edible, not for cats either.")),
    product("teapot", "huis.van.smaak", "home", ("Bolle theepot 1,1 l", "Round teapot 1.1 l"),
            ("Theepot van steengoed met een tuit die niet druppelt (we hebben er negen geprobeerd). Zeefje zit erbij.",
             "Stoneware teapot with a spout that does not drip (we tried nine). Strainer included."),
            (("steengoed, loodvrij glazuur", "stoneware, lead-free glaze"), "24 x 17", 980, ("vaatwasser en magnetron", "dishwasher and microwave"), ("geen schuurspons", "no scourer")), [9, 4]),
    product("vase", "kira.keramiek", "home", ("Gedraaide vaas met banden", "Thrown vase with bands"),
            ("Vaas van rode klei, met de hand gedraaid. Elke vaas wijkt een paar millimeter af.", "Vase in red clay, thrown by hand. Every vase differs by a few millimetres."),
            (("aardewerk", "earthenware"), "18 x 31", 1650, ("binnen, waterdicht", "indoors, watertight"), ("met de hand afwassen", "hand wash")), [2], status="draft"),
    product("boba-kit", "huis.van.smaak", "food", ("Bubbletea-pakket voor 6 bekers", "Bubble tea kit for 6 cups"),
            ("Alles voor zes bekers: thee, tapiocaparels, siroop en rietjes. De parels zijn in 90 seconden klaar in de magnetron, in een pan in acht minuten.",
             "Everything for six cups: tea, tapioca pearls, syrup and straws. Pearls take 90 seconds in the microwave or eight minutes in a pan."),
            (("6 x 60 g", "6 x 60 g"), ("België", "Belgium"), ("tapioca, rietsuiker, zwarte thee", "tapioca, cane sugar, black tea"), ("geen", "none"), 228, ("9 maanden", "9 months")), [36, 11], vat=9, guarantee=FOOD),
    product("coffee", "huis.van.smaak", "food", ("Koffiebonen uit één dal, 250 g", "Coffee beans from one valley, 250 g"),
            ("Bonen van één coöperatie, elke dinsdag gebrand. Smaakt naar cacao en sinaasappel.", "Beans from one cooperative, roasted every Tuesday. Tastes of cocoa and orange."),
            ("250 g", "Colombia", ("100% arabica", "100% arabica"), ("geen", "none"), 2, ("12 maanden", "12 months")), [48], vat=9, guarantee=FOOD),
    product("honey", "huis.van.smaak", "food", ("Honing van de imker, 350 g", "Beekeeper's honey, 350 g"),
            ("Ongemengde bloemenhoning van één imker. Wordt vanzelf stevig; zet de pot even in warm water.", "Unblended blossom honey from one keeper. Sets by itself; stand the jar in warm water."),
            ("350 g", ("België", "Belgium"), ("honing", "honey"), ("geen", "none"), 320, ("24 maanden", "24 months")), [2], vat=9, guarantee=FOOD,
            warnings=both("Niet geschikt voor kinderen jonger dan 12 maanden.", "Not suitable for children under 12 months.")),
    product("chocolate", "huis.van.smaak", "food", ("Pure chocolade 72%", "Dark chocolate 72%"),
            ("Reep van 90 gram met drie ingrediënten. Breekt met een tik.", "A 90 gram bar with three ingredients. Breaks with a snap."),
            ("90 g", ("Peru, gemaakt in België", "Peru, made in Belgium"), ("cacaomassa, rietsuiker, cacaoboter", "cocoa mass, cane sugar, cocoa butter"), ("kan melk en noten bevatten", "may contain milk and nuts"), 565, ("14 maanden", "14 months")), [85], vat=9, guarantee=FOOD),
    product("headphones", "brightpeak.audio", "tech", ("Koptelefoon met ruisonderdrukking", "Noise-cancelling headphones"),
            ("Draadloze koptelefoon die opvouwt. 35 uur met ruisonderdrukking uit, ongeveer 26 uur met aan.", "Wireless headphones that fold flat. 35 hours with noise cancelling off, about 26 hours with it on."),
            (35, "USB-C", "Bluetooth 5.3, 3,5 mm", 245, ("koptelefoon, USB-C-kabel, etui", "headphones, USB-C cable, case"), ("ja", "yes")), [40, 22]),
    product("radio", "brightpeak.audio", "tech", ("Draagbare radio DAB+", "Portable DAB+ radio"),
            ("Radio met DAB+ en FM, een draaiknop en een telescoopantenne. Loopt ook op vier AA-batterijen.", "Radio with DAB+ and FM, a dial and a telescopic aerial. Also runs on four AA batteries."),
            (14, ("USB-C of 4 x AA", "USB-C or 4 x AA"), "DAB+, FM, Bluetooth", 860, ("radio, kabel", "radio, cable"), ("ja", "yes")), [0]),
    product("camera", "brightpeak.audio", "tech", ("Compactcamera 35 mm", "35 mm compact camera"),
            ("Eenvoudige digitale camera met een vaste 35 mm f/2.8 lens, een bovenplaat van metaal en echte knoppen. Geen apps, wel een schermpje achterop.", "Simple digital camera with a fixed 35 mm f/2.8 lens, a metal top plate and real buttons. No apps, but a small screen on the back."),
            (6, "USB-C", ("USB-C, geheugenkaart", "USB-C, memory card"), 310, ("camera, kabel, polsband", "camera, cable, wrist strap"), ("ja", "yes")), [13]),
    product("teddy", "brightpeak.audio", "play", ("Beer Bram 32 cm", "Bram the bear 32 cm"),
            ("Zachte beer met geborduurde ogen, dus geen losse onderdelen. Mag in de was.", "Soft bear with embroidered eyes, so no loose parts. Machine washable."),
            (("vanaf 0 maanden", "from 0 months"), ("polyester pluche", "polyester plush"), 380, ("n.v.t.", "n/a"), "EN 71, CE", ("ja", "yes")), [28, 16],
            warnings=both("Verwijder het kaartje voor je de beer aan een kind geeft.", "Remove the tag before giving the bear to a child.")),
    product("roller-skates", "brightpeak.audio", "play", ("Rolschaatsen met zachte wielen", "Roller skates with soft wheels"),
            ("Hoge rolschaatsen met 82A-wielen voor asfalt en zaal. Draag pols-, elleboog- en kniebescherming.", "High roller skates with 82A wheels for tarmac and hall. Wear wrist, elbow and knee protection."),
            (("vanaf 14 jaar", "from 14 years"), ("kunstleer, aluminium plaat", "faux leather, aluminium plate"), 1950, "100 kg", "EN 13899", ("n.v.t., sportartikel", "n/a, sports goods")), [4, 7, 2, 5, 6, 1], sizes=["36", "39", "42"],
            warnings=both("Gebruik beschermende kleding. Niet op de openbare weg met druk verkeer.", "Use protective gear. Not on busy public roads.")),
    product("skateboard", "brightpeak.audio", "play", ("Skateboard 8,0 inch", "Skateboard 8.0 inch"),
            ("Compleet skateboard met zeven lagen esdoorn. Klaar om op te stappen; het sleuteltje zit erbij.", "Complete skateboard with seven layers of maple. Ready to ride; the tool is included."),
            (("vanaf 8 jaar", "from 8 years"), ("esdoorn, aluminium, PU", "maple, aluminium, PU"), 2150, "100 kg", "EN 13613", ("n.v.t., sportartikel", "n/a, sports goods")), [11],
            warnings=both("Gebruik een helm en bescherming.", "Use a helmet and protection.")),
]
