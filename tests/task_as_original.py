"""The bodies of the original's steps, as people copied and changed them."""

from __future__ import annotations

from typing import Any

from sync_workers import ID, State
from tests.task_worlds import Todo


class AsOriginal(Todo):
    """A subclass with every step of the original in the original's words."""

    def initial_sync(self, notion_objs: dict[ID, Any], other_objs: dict[ID, Any]) -> State:
        state = State()
        notion_hashes = {self.notion_hash(obj): obj_id for obj_id, obj in notion_objs.items()}
        other_hashes = {self.other_hash(obj): obj_id for obj_id, obj in other_objs.items()}
        for obj_hash in notion_hashes.keys() & other_hashes.keys():
            notion_id, other_id = notion_hashes[obj_hash], other_hashes[obj_hash]
            state.ids[notion_id] = other_id
            state_obj = state.objs[notion_id] = {}
            notion_obj, other_obj = notion_objs[notion_id], other_objs[other_id]
            notion_obj_dct, other_obj_dct = self.notion_to_dict(notion_obj), self.other_to_dict(other_obj)
            for notion_attr, other_attr in self.attr_map.items():
                if notion_obj_dct[notion_attr] == other_obj_dct[other_attr]:
                    state_obj[notion_attr] = notion_obj_dct[notion_attr]
                else:
                    state_obj[notion_attr] = self.resolve_conflict(
                        notion_obj, other_obj, notion_attr, other_attr
                    )
        return state

    def sync_state_changes(
        self, state: State, notion_objs: dict[ID, Any], other_objs: dict[ID, Any]
    ) -> State:
        for notion_id, base in state.objs.items():
            notion_obj, other_obj = notion_objs[notion_id], other_objs[state.ids[notion_id]]
            notion_dict, other_dict = self.notion_to_dict(notion_obj), self.other_to_dict(other_obj)
            for notion_attr, other_attr in self.attr_map.items():
                if notion_dict[notion_attr] != base[notion_attr] == other_dict[other_attr]:
                    self.other_update_obj(other_obj, other_attr, notion_dict[notion_attr])
                    base[notion_attr] = notion_dict[notion_attr]
                elif notion_dict[notion_attr] == base[notion_attr] != other_dict[other_attr]:
                    self.notion_update_obj(notion_obj, notion_attr, other_dict[other_attr])
                    base[notion_attr] = other_dict[other_attr]
                elif notion_dict[notion_attr] != base[notion_attr] != other_dict[other_attr]:
                    base[notion_attr] = self.resolve_conflict(notion_obj, other_obj, notion_attr, other_attr)
        return state

    def sync_notion_created(self, state: State, notion_objs: dict[ID, Any]) -> State:
        for notion_id, notion_obj in notion_objs.items():
            if notion_id not in state.objs:
                notion_dict = self.notion_to_dict(notion_obj)
                made = self.other_create_obj(**{o: notion_dict[n] for n, o in self.attr_map.items()})
                state.ids[notion_id] = self.other_id(made)
                state.objs[notion_id] = {n: notion_dict[n] for n in self.attr_map}
        return state

    def sync_other_created(self, state: State, other_objs: dict[ID, Any]) -> State:
        for other_id, other_obj in other_objs.items():
            if other_id not in state.ids.values():
                other_dict = self.other_to_dict(other_obj)
                fields = {n: other_dict[o] for n, o in self.attr_map.items()}
                made = self.notion_create_obj(**fields)
                state.ids[self.notion_id(made)] = other_id
                state.objs[self.notion_id(made)] = fields
        return state
