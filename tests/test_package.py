import chainrule


def test_the_version_is_the_one_of_the_distribution():
    from importlib.metadata import version

    assert chainrule.__version__ == version("chainrule")
