"""The order in which records are copied: what others name comes first. Pure and linear."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from sync_workers.model import ID


def named_first(ids: Sequence[ID], named: Callable[[ID], Iterable[ID]]) -> list[ID]:
    """The ids in their order, except that those that one of them names stand before it.

    A circle is cut where it is first met. `named` gives parents and other records that are named.
    """
    names = {one: list(named(one)) for one in ids}
    if not any(names.values()):
        return list(ids)
    ordered, begun = dict[ID, None](), set[ID]()
    for record_id in ids:
        if record_id in begun:
            continue
        begun.add(record_id)
        path: list[tuple[ID, Iterator[ID]]] = [(record_id, iter(names[record_id]))]
        while path:  # not by recursion: a line of children can be of any length
            one, rest = path[-1]
            above = next((i for i in rest if i in names and i not in begun), None)
            if above is None:
                ordered[one] = None
                path.pop()
            else:
                begun.add(above)
                path.append((above, iter(names[above])))
    return list(ordered)
