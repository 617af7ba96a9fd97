"""Forms: WTForms' own fields, bound and written at a brisk walk.

WTForms makes each field anew for each form, and each of its tags out of its attributes. What of that is the same each
time is kept here, by what it was made of; what somebody filled in, and what was wrong with it, is always of this form.
"""

from __future__ import annotations

from typing import Any, cast

from markupsafe import Markup, escape
from wtforms import Field, FieldList, FormField
from wtforms.fields.core import Label, UnboundField
from wtforms.meta import DefaultMeta
from wtforms.widgets import EmailInput, NumberInput, TelInput, TextInput, URLInput

MOST = 2_000  # tags that each process keeps; a form has some dozens

_PLAIN = (TextInput, EmailInput, NumberInput, TelInput, URLInput)
_HERE = "\ue000"  # where the value comes; of the private use area, so in no attribute of ours
_tags: dict[tuple[Any, ...], tuple[Markup, Markup]] = {}


class Brisk(DefaultMeta):  # type: ignore[misc]
    """How a form of the shop binds its fields, and how it writes them."""

    def bind_field(self, form: Any, unbound_field: UnboundField, options: dict[str, Any]) -> Field:
        """A field of this form, as WTForms makes it; all but the first are made like the first one."""
        known = unbound_field.__dict__.setdefault("as_bound", {})
        as_it_was = known.get(key := (options["name"], options["prefix"]))
        if as_it_was is None:
            field = super().bind_field(form, unbound_field, options)
            if not isinstance(field, FieldList | FormField):  # those have fields of their own
                label = Label(field.label.field_id, field.label.text)  # this form may call its own field otherwise
                known[key] = {**field.__dict__, "label": label, "_form": None, "meta": None, "_translations": None}
            return field
        return _like(unbound_field, as_it_was, form, options["translations"])

    def render_field(self, field: Field, render_kw: dict[str, Any]) -> Markup:
        """The field's tag, as its widget writes it; of a plain input only the value is new."""
        if type(field.widget) not in _PLAIN or "value" in render_kw or field._datalist is not None:
            return cast(Markup, super().render_field(field, render_kw))
        more = {**(field.render_kw or {}), **render_kw}
        flags = tuple(field.flags.__dict__.items())
        key = (type(field.widget), field.name, field.id, flags, tuple(more.items()))
        try:
            before, after = _tags.get(key) or self._tag(key, field, render_kw)
        except TypeError:  # an attribute that cannot be compared
            return cast(Markup, super().render_field(field, render_kw))
        return Markup(f"{before}{escape(field._value())}{after}")  # noqa: S704  WTForms' own, and what is escaped

    def _tag(self, key: tuple[Any, ...], field: Field, render_kw: dict[str, Any]) -> tuple[Markup, Markup]:
        before, _value, after = super().render_field(field, {**render_kw, "value": _HERE}).partition(_HERE)
        if len(_tags) < MOST:
            _tags[key] = before, after
        return before, after


def _like(unbound: UnboundField, as_it_was: dict[str, Any], form: Any, translations: Any) -> Field:
    field = object.__new__(unbound.field_class)
    mine = field.__dict__
    mine.update(as_it_was)
    mine.update(_form=form, meta=form.meta, _translations=translations)
    label = as_it_was["label"]
    # One without a label has its name for one, in WTForms' words for the language of the first who asked.
    is_named = "label" in unbound.kwargs or unbound.args
    mine["label"] = Label(label.field_id, label.text if is_named else field.gettext(_titled(field.short_name)))
    if (choices := as_it_was.get("_choices")) is not None:
        mine["_choices"] = type(choices)(choices)
    return field


def _titled(name: str) -> str:
    return name.replace("_", " ").title()
