"""The studio: a creator's own clips, how far they are, and the way in for a new one."""

from __future__ import annotations

from flask import Blueprint, request, url_for
from flask_login import current_user, login_user
from flask_wtf.file import FileField, FileRequired
from werkzeug.datastructures import FileStorage
from wtforms import StringField
from wtforms.validators import InputRequired, Length

from shop import accounts, media, uploads, videos
from shop.database import db
from shop.hypermedia import Answer, Form, leave, page
from shop.i18n import _l
from shop.limits import each_address
from shop.models import Role

bp = Blueprint("studio", __name__)

LARGEST_WHOLE = 32 * uploads.MIB  # bytes that a plain form may send; the edge reads no more (`edge.LARGEST`)


class OpeningForm(Form):
    """Under which name one films."""

    handle = StringField(_l("Handle"), validators=[InputRequired(_l("Choose a handle.")), Length(max=31)])
    name = StringField(_l("Name"), validators=[InputRequired(_l("Fill in a name.")), Length(max=80)])


class FileForm(Form):
    """A video that is sent in one go, for browsers that do not run our script."""

    video = FileField(_l("Video"), validators=[FileRequired(_l("Choose a video."))])


def _page(status: int = 200, **forms: Form) -> Answer:
    """The creator's clips; or, for who is no creator yet, how to become one."""
    if Role.CREATOR not in current_user.roles:
        return page("studio/opening.html", "form", status=status, form=forms.get("form") or OpeningForm())
    clips = videos.made_by(current_user.id)
    return page(
        "studio/index.html",
        "clips",
        status=status,
        clips=clips,
        is_busy=any(clip.state in media.UNFINISHED for clip in clips),
        under_way=uploads.under_way(current_user.id),
        largest=media.LARGEST,
        largest_whole=LARGEST_WHOLE,
        form=forms.get("form") or FileForm(),
    )


@bp.get("/studio")
def index() -> Answer:
    """All clips and their states; asked again by the page itself while one is being worked on."""
    return _page()


@bp.post("/studio")
@each_address("10 per hour")
def open_up() -> Answer:
    """Become a creator. The old sign-ins end, as with every new right; this browser gets a new one."""
    form = OpeningForm()
    if not form.validate():
        return _page(422) if Role.CREATOR in current_user.roles else _page(422, form=form)
    user = videos.open_studio(current_user.id, form.handle.data, form.name.data)
    person = accounts.carry_on(user, current_user, request.user_agent.string)
    db.session.commit()
    login_user(person)
    return leave(url_for(".index"))


@bp.post("/studio/files")
@each_address("30 per hour")
def send() -> Answer:
    """A whole video in one form: no progress and no going on, but no script either."""
    form = FileForm()
    if not form.validate():
        return _page(422, form=form)
    code = _received(form.video.data)
    db.session.commit()
    return leave(url_for("clip_desk.show", code=code))


def _received(file: FileStorage) -> str:
    """Put what came in one piece in the place of an upload that came in parts."""
    size = file.stream.seek(0, 2)
    file.stream.seek(0)
    if size:
        media.refuse_other_kinds(file.stream.read(12))
        file.stream.seek(0)
    upload = uploads.begin(current_user.id, size, largest=LARGEST_WHOLE)
    db.session.commit()
    for offset in range(0, size, uploads.LARGEST_PART):
        uploads.append(current_user.id, upload.code, offset, file.stream.read(uploads.LARGEST_PART))
        db.session.commit()
    return videos.receive(current_user.id, upload.code)
