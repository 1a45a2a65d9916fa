from cluster.board import Entry, workers_to_give


def test_a_lower_priority_gives_what_a_higher_one_waits_for():
    entries = [Entry("low", 0, holding=4, waiting=0), Entry("high", 5, holding=0, waiting=3)]
    assert workers_to_give(entries, "low") == 3
    assert workers_to_give(entries, "high") == 0


def test_nobody_gives_more_than_it_holds_and_equals_give_nothing():
    entries = [Entry("a", 0, 2, 0), Entry("b", 0, 0, 9), Entry("c", 1, 0, 9)]
    assert workers_to_give(entries, "a") == 2
    assert workers_to_give(entries, "b") == 0


def test_the_lowest_gives_first():
    entries = [Entry("lowest", -1, 2, 0), Entry("low", 0, 4, 0), Entry("high", 9, 1, 3)]
    assert workers_to_give(entries, "lowest") == 2
    assert workers_to_give(entries, "low") == 1


def test_a_sweep_that_is_not_on_the_board_gives_nothing():
    assert workers_to_give([Entry("high", 9, 1, 3)], "me") == 0
