"""Digests: the known value, of every size, whatever the order of the lines."""

import hashlib

from pneumobench.utils.hashing import content_hash, digest_of, text_hash


def test_they_are_blake2b_of_the_bytes(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"one\ntwo")
    for size in (4, 8, 16):
        expected = hashlib.blake2b(b"one\ntwo", digest_size=size).hexdigest()
        assert content_hash(path, size) == text_hash("one\ntwo", size) == text_hash(b"one\ntwo", size) == expected
        assert digest_of(["two", "one"], size) == expected


def test_a_file_has_32_digits_unless_told_otherwise(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"")
    assert content_hash(path) == "cae66941d9efbd404e4d88758ea67670"  # BLAKE2b-128 of nothing
