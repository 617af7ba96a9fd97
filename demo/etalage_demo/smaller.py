"""Each product picture in the smaller sizes that a page asks for: a thumbnail, a card, a card on a sharp screen.

WebP only: of these pictures AVIF made files of the same size (2.4, 4.2 and 8.2 kB against 2.5, 4.3 and 8.2 kB), and took
two to four times as long.
"""
from PIL import Image

WIDTHS = (216, 360, 640)
QUALITY = 78


def draw_smaller(products):
    """Write `products/<width>/<name>` for every picture in `products`."""
    for path in sorted(products.glob("*.webp")):
        whole = Image.open(path).convert("RGB")
        for width in WIDTHS:
            folder = products / str(width)
            folder.mkdir(exist_ok=True)
            height = round(whole.height * width / whole.width)
            small = whole.resize((width, height), Image.Resampling.LANCZOS)
            small.save(folder / path.name, "WEBP", quality=QUALITY, method=6)
