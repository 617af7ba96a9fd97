"""Prices in cents, VAT included. In one place because the clips show them too."""
PRICES = {
    "wolk-sneaker": 7995, "hiking-boot": 12900, "rain-boot": 4495, "flip-flop": 1995,
    "backpack": 6495, "handbag": 8900, "suitcase": 11900, "pouch": 2250,
    "tshirt": 2495, "cap": 2195, "scarf": 3900, "sunglasses": 3495, "watch": 14900,
    "lipstick": 1495, "lotion": 1695, "soap": 695,
    "candle": 1795, "plant": 1495, "teapot": 3995, "vase": 4900,
    "boba-kit": 2490, "coffee": 995, "honey": 895, "chocolate": 595,
    "headphones": 6995, "radio": 5495, "camera": 8995,
    "teddy": 2495, "roller-skates": 7495, "skateboard": 6995,
}

# What a reduced product cost before, and how many days ago that changed. It cost that for at least 30 days.
BEFORE = {"hiking-boot": (14900, 6), "lotion": (1895, 11), "headphones": (7995, 9)}


def euro(slugs, language):
    """'€ 79,95' in Dutch, '€79.95' in English; whole euros without zeros. Several products: 'candle plant' adds them up."""
    cents = sum(PRICES[slug] for slug in slugs.split())
    amount = f"{cents // 100}" if cents % 100 == 0 else f"{cents / 100:.2f}"
    return f"€ {amount.replace('.', ',')}" if language == "nl" else f"€{amount}"
