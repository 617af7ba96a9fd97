"""Who likes a clip counts once."""

import pytest
from sqlalchemy import select

from shop import accounts, passwords, social
from shop.database import db
from shop.errors import NotFound
from shop.models import Clip, Like
from tests.cast import a_clip, a_profile

pytestmark = pytest.mark.usefixtures("at_the_desk")


@pytest.fixture
def clip():
    db.session.add(a_clip(a_profile("kai", "Kai"), "kai1", likes=5))
    db.session.commit()


def likes():
    db.session.commit()
    return db.session.scalar(select(Clip.likes)), len(db.session.scalars(select(Like)).all())


def test_liking_twice_counts_once_and_taking_it_back_twice_too(clip, noor):
    assert [social.like(noor.id, "kai1", wanted=True).likes for _twice in range(2)] == [6, 6]
    assert likes() == (6, 1)
    assert [social.like(noor.id, "kai1", wanted=False).likes for _twice in range(2)] == [5, 5]
    assert likes() == (5, 0)


def test_two_people_who_like_it_are_two(clip, noor):
    kai = accounts.register("kai@example.com", "Kai", passwords.hashed("twelve letters"))
    social.like(noor.id, "kai1", wanted=True)
    assert social.like(kai.id, "kai1", wanted=True) == ("kai1", 7, True)


def test_a_clip_that_is_not_published_cannot_be_liked(clip, noor):
    db.session.scalar(select(Clip)).published_at = None
    db.session.commit()
    with pytest.raises(NotFound):
        social.like(noor.id, "kai1", wanted=True)
    assert likes() == (5, 0)
