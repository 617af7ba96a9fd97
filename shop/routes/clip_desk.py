"""One clip in the studio: it plays beside the forms that say what it shows, what is said in it, and who may see it."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, request, url_for
from flask_login import current_user
from flask_wtf.file import FileField
from wtforms import BooleanField, RadioField, SelectField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length, NumberRange, Optional

from shop import media, tagging, videos
from shop.database import db
from shop.errors import Refused
from shop.hypermedia import Answer, DecimalNumber, Form, done, leave, page, wants_fragment
from shop.i18n import LANGUAGES, _, _l
from shop.models import Clip, Disclosure

bp = Blueprint("clip_desk", __name__)

LARGEST_SUBTITLES = 200_000  # bytes
ROWS, COLUMNS = (0.25, 0.5, 0.75), (0.2, 0.5, 0.8)
PLACES = [f"{x} {y}" for y in ROWS for x in COLUMNS]
SPOKEN = [SelectChoice(code, str(locale.get_display_name(code)).capitalize()) for code, locale in LANGUAGES.items()]


class DetailsForm(Form):
    """What is said about the clip."""

    caption = TextAreaField(_l("Caption"), validators=[Length(max=500, message=_l("Use at most 500 characters."))])
    language = SelectField(_l("Language of the clip"), choices=SPOKEN)
    disclosure = RadioField(
        _l("Why do you show these products?"),
        choices=[
            SelectChoice(Disclosure.NONE, _l("No products, or nothing in return")),
            SelectChoice(Disclosure.OWN_PRODUCTS, _l("They are my own products")),
            SelectChoice(Disclosure.COMMISSION, _l("I earn a commission")),
            SelectChoice(Disclosure.GIFTED, _l("I got them as a gift")),
        ],
    )
    is_silent = BooleanField(_l("Nobody speaks in this clip"))
    is_synthetic = BooleanField(_l("Made or changed with AI"))


class TagForm(Form):
    """Which product is to be seen, when and where."""

    product = StringField(_l("Product"), validators=[InputRequired(_l("Choose a product."))])
    start = DecimalNumber(
        _l("From second"), places=1, validators=[InputRequired(_l("Fill in a second.")), NumberRange(0, 60)]
    )
    end = DecimalNumber(
        _l("To second"), places=1, validators=[InputRequired(_l("Fill in a second.")), NumberRange(0, 61)]
    )
    place = StringField(_l("Place in the frame"), default="0.5 0.5", validators=[Length(max=30)])

    def where(self) -> tagging.Place:
        """What was filled in."""
        try:
            x, y = map(float, self.place.data.split())
        except ValueError as error:
            raise Refused(_("Choose a place inside the frame."), 422) from error
        return tagging.Place(round(self.start.data * 1000), round(self.end.data * 1000), x, y)


class SubtitlesForm(Form):
    """What is said in it: a file, or plain text."""

    spoken = SelectField(_l("Language of the subtitles"), choices=SPOKEN)
    file = FileField(_l("Subtitles (.vtt or .srt)"))
    text = TextAreaField(_l("Or write what is said"), validators=[Optional(), Length(max=5000)])


def _desk(clip: Clip, status: int = 200, also: tuple[str, ...] = (), **more: Any) -> Answer:
    """The clip with all its forms; for htmx only the desk beside the film."""
    searched = request.args.get("q", "")[:80]
    told = {"caption": clip.caption.get(clip.language, ""), "language": clip.language, "disclosure": clip.disclosure}
    said = {**told, "is_silent": not clip.has_speech, "is_synthetic": clip.is_synthetic}
    forms = {
        "details": DetailsForm(formdata=None, data=said),
        "tag_form": TagForm(formdata=None),
        "subtitles": SubtitlesForm(formdata=None, spoken=clip.language),
    }
    block = "desk" if request.method == "POST" else "choice" if "q" in request.args else "film"
    return page(
        "studio/clip.html",
        block,
        also=also,
        status=status,
        clip=clip,
        tags=tagging.shown(clip),
        choices=tagging.sellable(current_user.id, searched),
        searched=searched,
        places=PLACES,
        problem=media.explain(clip.problem) if clip.problem else None,
        lacks=videos.lacks(clip),
        is_bound=tagging.is_bound(clip),
        is_busy=clip.state in media.UNFINISHED,
        **{**forms, **more},
    )


def _saved(clip: Clip, words: str) -> Answer:
    """Keep what was done to the clip, and show it."""
    db.session.commit()
    if not wants_fragment():
        return done(url_for(".show", code=clip.code))
    return _desk(clip, also=("parts/message.html", "studio/clip_state.html"), words=words)


def _mine(code: str) -> Clip:
    return videos.find(current_user.id, code)


@bp.get("/studio/clips/<code>")
def show(code: str) -> Answer:
    """The desk; asked again by itself while the clip is being worked on."""
    return _desk(_mine(code))


@bp.post("/studio/clips/<code>/details")
def describe(code: str) -> Answer:
    """Caption, language, disclosure."""
    clip, form = _mine(code), DetailsForm()
    if not form.validate():
        return _desk(clip, 422, details=form)
    is_said = {"has_speech": not form.is_silent.data, "is_synthetic": form.is_synthetic.data}
    videos.describe(clip, form.caption.data or "", form.language.data, form.disclosure.data, **is_said)
    return _saved(clip, _("Saved."))


@bp.post("/studio/clips/<code>/tags")
def tag(code: str) -> Answer:
    """Show that a product is to be seen."""
    clip, form = _mine(code), TagForm()
    if not form.validate():
        return _desk(clip, 422, tag_form=form)
    tagging.add(clip, form.product.data, form.where())
    return _saved(clip, _("The product is in the clip."))


@bp.post("/studio/clips/<code>/tags/<tag>")
def change_tag(code: str, tag: str) -> Answer:
    """Move a tag, or let it show another product."""
    clip, form = _mine(code), TagForm()
    if not form.validate():
        raise Refused(_("Fill in a product, from which second and to which."), 422)
    tagging.change(clip, tag, form.product.data, form.where())
    return _saved(clip, _("Saved."))


@bp.post("/studio/clips/<code>/tags/<tag>/removal")
def remove_tag(code: str, tag: str) -> Answer:
    """Take a tag away."""
    tagging.remove(clip := _mine(code), tag)
    return _saved(clip, _("The tag is gone."))


@bp.post("/studio/clips/<code>/subtitles")
def add_subtitles(code: str) -> Answer:
    """Keep what is said."""
    clip, form = _mine(code), SubtitlesForm()
    if not form.validate():
        return _desk(clip, 422, subtitles=form)
    if form.file.data:
        videos.add_track(clip, form.spoken.data, _text(form.file.data.stream.read(LARGEST_SUBTITLES)))
    else:
        videos.add_transcript(clip, form.spoken.data, form.text.data or "")
    return _saved(clip, _("The subtitles are in the clip."))


def _text(content: bytes) -> str:
    return content.decode("utf-8-sig", "replace")


@bp.post("/studio/clips/<code>/subtitles/<language>/removal")
def remove_subtitles(code: str, language: str) -> Answer:
    """Take the subtitles in one language away."""
    videos.remove_track(clip := _mine(code), language)
    return _saved(clip, _("The subtitles are gone."))


@bp.post("/studio/clips/<code>/publication")
def publish(code: str) -> Answer:
    """Let people see it."""
    clip = _mine(code)
    videos.publish(clip, by=current_user.id)
    return _saved(clip, _("Your clip is in the feed.") if clip.published_at else _("It will be in the feed soon."))


@bp.post("/studio/clips/<code>/publication/removal")
def unpublish(code: str) -> Answer:
    """Take it out of the feed."""
    clip = _mine(code)
    videos.unpublish(clip, by=current_user.id)
    return _saved(clip, _("Nobody else sees your clip now."))


@bp.post("/studio/clips/<code>/removal")
def remove(code: str) -> Answer:
    """Throw the clip away."""
    videos.remove(_mine(code), by=current_user.id)
    db.session.commit()
    return leave(url_for("studio.index"))
