"""What every cell, loss and metric must keep: checks by name, for ours and for anybody's.

@pytest.mark.parametrize("check", cells.CHECKS)
def test_my_cell_keeps_what_is_asked(check):
    check("my_cell")
"""
