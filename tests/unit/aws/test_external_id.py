"""External IDs are random, of one form, and fit what AWS takes."""

import re

from grantline.aws.external_id import looks_like_external_id, new_external_id


def test_new_external_id_has_the_form_and_never_repeats() -> None:
    made = {new_external_id() for _ in range(1000)}
    assert len(made) == 1000
    assert all(re.fullmatch(r"gl_[a-z2-7]{32}", text) for text in made)
    assert all(looks_like_external_id(text) for text in made)


def test_other_texts_do_not_look_like_an_external_id() -> None:
    good = new_external_id()
    for text in ("", good.upper(), good[:-1], good + "a", good + "\n", "gl_" + "1" * 32, "xx" + good[2:]):
        assert not looks_like_external_id(text)
