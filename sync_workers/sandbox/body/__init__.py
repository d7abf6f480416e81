"""What stands on a page: its blocks, as a tree and as Markdown, and the comments on it.

kinds.py      what a block of each type holds
tree.py       blocks under pages and blocks: add, order, delete
endpoints.py  /v1/blocks
inline.py     rich text as Markdown, and back
render.py     the blocks of a page as Markdown
parse.py      Markdown as blocks
replace.py    other blocks in the place of those that are there, keeping what stays
markdown.py   /v1/pages/{id}/markdown
comments.py   /v1/comments
person.py     all of it for a person
"""
