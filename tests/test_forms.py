"""A form that is made like the one before it shares nothing of it that somebody filled in, changed or was told."""

from __future__ import annotations

from wtforms import EmailField, SelectField, StringField
from wtforms.validators import InputRequired, Length

from shop.hypermedia import Form
from shop.i18n import _l, speaking


class Card(Form):
    email = EmailField(_l("E-mail address"), [InputRequired("Say where."), Length(max=20)], render_kw={"rows": 2})
    kind = SelectField(_l("Country"), choices=["NL", "BE"])
    street_name = StringField()


def test_the_second_form_is_written_as_the_first_one(app):
    with app.test_request_context():
        first, second = (Card(formdata=None, data={"email": 'a"<b>@x'}) for _time in range(2))
        tag = '<input id="email" maxlength="20" name="email" required rows="2" type="email" value="a&#34;&lt;b&gt;@x">'
        assert [str(form.email()) for form in (first, first, second)] == [tag] * 3
        assert str(second.email(value="c")) == tag.replace("a&#34;&lt;b&gt;@x", "c")
        assert str(second.email(autofocus=True)) == tag.replace("<input ", "<input autofocus ")
        assert str(second.kind()) == str(first.kind())
        assert second.street_name.label.text == "Street Name"


def test_what_is_typed_changed_or_wrong_in_one_form_is_not_in_the_next(app):
    with app.test_request_context(method="POST", data={"email": "", "kind": "XX", "street_name": "here"}):
        first = Card()
        assert not first.validate()
    first.email.label.text, first.email.render_kw = "Mail", None
    first.kind.choices.append("DE")
    with app.test_request_context():
        second = Card(formdata=None)
        assert (second.email.data, second.street_name.data, second.errors) == (None, None, {})
        assert (str(second.email.label.text), second.email.render_kw) == ("E-mail address", {"rows": 2})
        assert [choice.value for choice in second.kind.iter_choices()] == ["NL", "BE"]
        assert 'value=""' in second.email()


def test_a_label_is_in_the_language_of_who_reads_it(app):
    with app.test_request_context():
        said = []
        for language in ("en", "nl", "en"):
            with speaking(language):
                said.append(str(Card(formdata=None).email.label.text))
        assert said == ["E-mail address", "E-mailadres", "E-mail address"]
