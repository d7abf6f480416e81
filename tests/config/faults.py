"""One good task file, and faults that each make one problem of it."""

from __future__ import annotations

GOOD = """\
imports = ["my_tasks"]
[connections.work]
kind = "vault"
token = { env = "VAULT_TOKEN" }
[connections.calendar]
kind = "memory"
[tasks.todo]
every = "10s"
match = ["Name"]
notion = { connection = "work", box = "left" }
other = { connection = "calendar", container = "todo" }
[tasks.todo.guard]
lost_number = 3
[tasks.todo.fields]
Name = "summary"
Status = { other = "status", values = { "Done" = "COMPLETED" } }
"""

# Each row: what is written instead of what in the good file; where its one problem is; what it says.
OF_CONNECTIONS = {
    "unknown table": (
        "[tasks.todo]\n",
        "[task.x]\n[tasks.todo]\n",
        "7: task",
        "no such key; did you mean 'tasks'?",
    ),
    "imports is text": ('["my_tasks"]', '"my_tasks"', "1: imports", "should be a list"),
    "an import is a number": ('["my_tasks"]', '["a",\n3]', "2: imports[1]", "should be text"),
    "no kind": ('kind = "memory"\n', "", "5: connections.calendar.kind", "is missing"),
    "kind is a number": ('"memory"', "3", "6: connections.calendar.kind", "should be text"),
    "kind unknown": (
        '"vault"',
        '"valt"',
        "3: connections.work.kind",
        "no service 'valt'; did you mean 'vault'?",
    ),
    "real kind unknown": ('"memory"', '"memroy"', "6: connections.calendar.kind", "did you mean 'memory'?"),
    "connection key unknown": (
        "token =",
        'spar = "x"\ntoken =',
        "4: connections.work.spar",
        "did you mean 'spare'?",
    ),
    "kind twice": (
        'kind = "memory"',
        'knd = "x"\nkind = "memory"',
        "6: connections.calendar.knd",
        "mean 'kind'?",
    ),
    "connection key missing": (
        'token = { env = "VAULT_TOKEN" }\n',
        "",
        "2: connections.work.token",
        "is missing",
    ),
    "secret in plain text": (
        '{ env = "VAULT_TOKEN" }',
        '"ntn_1"',
        "4: connections.work.token",
        'write { env = "NAME" }',
    ),
    "secret in two places": (
        '"VAULT_TOKEN"',
        '"A", file = "b"',
        "4: connections.work.token",
        "exactly one place",
    ),
    "secret's key unknown": (
        "{ env",
        '{ evn = "A", env',
        "4: connections.work.token.evn",
        "did you mean 'env'?",
    ),
    "a secret or text, as neither": (
        "token =",
        "address = 3\ntoken =",
        "4: connections.work.address",
        "should be a table or should be text",
    ),
    "a secret or text, as half a secret": (
        "token =",
        'address = { evn = "A" }\ntoken =',
        "4: connections.work.address.evn",
        "no such key; did you mean 'env'?",
    ),
    "a secret or text, as no secret": (
        "token =",
        "address = {}\ntoken =",
        "4: connections.work.address",
        "exactly one place",
    ),
    "time zone of a kind": (
        "token =",
        'zone = "Europe/Belin"\ntoken =',
        "4: connections.work.zone",
        "did you mean 'Europe/Berlin'?",
    ),
    "rule of a kind": (
        "token =",
        "depth = 0\ntoken =",
        "4: connections.work.depth",
        "greater than or equal to 1",
    ),
}

OF_TASKS = {
    "task is text": ("[tasks.todo]\n", "[tasks]\nx = 3\n[tasks.todo]\n", "8: tasks.x", "should be a table"),
    "task key unknown": (
        "every =",
        'confict = "x"\nevery =',
        "8: tasks.todo.confict",
        "did you mean 'conflict'?",
    ),
    "every is a number": ('"10s"', "10", "8: tasks.todo.every", 'should be text such as "10s"'),
    "every is nonsense": ('"10s"', '"soon"', "8: tasks.todo.every", "'soon' is no interval"),
    "every is too short": ('"10s"', '"0s"', "8: tasks.todo.every", "the shortest interval is 1s"),
    "crontab": ('every = "10s"', 'crontab = "* * * * 9"', "8: tasks.todo.crontab", "no day of the week"),
    "both schedules": ("match =", 'crontab = "* * * * *"\nmatch =', "9: tasks.todo.crontab", "not both"),
    "time zone": (
        'every = "10s"',
        'crontab = "* * * * *"\ntimezone = "Europe/Belin"',
        "9: tasks.todo.timezone",
        "did you mean 'Europe/Berlin'?",
    ),
    "time zone for nothing": (
        "match =",
        'timezone = "UTC"\nmatch =',
        "9: tasks.todo.timezone",
        "there is none",
    ),
    "in_total is nought": (
        "match =",
        "in_total = 0\nmatch =",
        "9: tasks.todo.in_total",
        "greater than or equal to 1",
    ),
    "in_total is text": (
        "match =",
        'in_total = "3"\nmatch =',
        "9: tasks.todo.in_total",
        "should be a whole number",
    ),
    "in_total is true": (
        "match =",
        "in_total = true\nmatch =",
        "9: tasks.todo.in_total",
        "should be a whole number",
    ),
    "tenant": (
        "match =",
        'tenant = "Acme@1"\nmatch =',
        "9: tasks.todo.tenant",
        "should be up to 64 of a-z",
    ),
    "conflict": ("match =", 'conflict = "newr"\nmatch =', "9: tasks.todo.conflict", "did you mean 'newer'?"),
    "conflict is a number": (
        "match =",
        "conflict = 1\nmatch =",
        "9: tasks.todo.conflict",
        "should be 'newer', ",
    ),
    "tie": ("match =", 'tie = "notoin"\nmatch =', "9: tasks.todo.tie", "did you mean 'notion'?"),
    "delete": ("match =", 'delete = "archiv"\nmatch =', "9: tasks.todo.delete", "did you mean 'archive'?"),
    "delete one way": (
        "match =",
        'delete.to_notion = "ignore"\ndelete.to_other = "archiv"\nmatch =',
        "10: tasks.todo.delete.to_other",
        "did you mean 'archive'?",
    ),
    "delete which way": (
        "match =",
        'delete = { to_notoin = "ignore" }\nmatch =',
        "9: tasks.todo.delete.to_notoin",
        "did you mean 'to_notion'?",
    ),
    "delete is neither": ("match =", "delete = 3\nmatch =", "9: tasks.todo.delete", "or should be a table"),
    "out of scope": (
        "match =",
        'out_of_scope = "unlinked"\nmatch =',
        "9: tasks.todo.out_of_scope",
        "did you mean 'unlink'?",
    ),
    "ambiguous": ("match =", 'ambiguous = "zz"\nmatch =', "9: tasks.todo.ambiguous", "there is copy, report"),
    "match unknown": (
        '["Name"]',
        '["Nmae"]',
        "9: tasks.todo.match[0]",
        "no field of the task; did you mean 'Name'?",
    ),
    "match is empty": ('["Name"]', "[]", "9: tasks.todo.match", "at least 1 item"),
    "match is text": ('["Name"]', '"Name"', "9: tasks.todo.match", "should be a list"),
    "match not said": ('match = ["Name"]\n', "", "7: tasks.todo", 'such as match = ["Name"]'),
    "side missing": (
        'notion = { connection = "work", box = "left" }\n',
        "",
        "7: tasks.todo.notion",
        "is missing",
    ),
    "side is text": (
        '{ connection = "calendar", container = "todo" }',
        '"x"',
        "11: tasks.todo.other",
        "a table",
    ),
    "no connection": ('connection = "work", ', "", "10: tasks.todo.notion.connection", "is missing"),
    "connection unknown": (
        '= "work"',
        '= "wrok"',
        "10: tasks.todo.notion.connection",
        "did you mean 'work'?",
    ),
    "connection misspelt": (
        'connection = "calendar"',
        'connection = "calendar", conection = "x"',
        "11: tasks.todo.other.conection",
        "did you mean 'connection'?",
    ),
    "side's key unknown": (
        '"left"',
        '"left", ordr = 1',
        "10: tasks.todo.notion.ordr",
        "did you mean 'order'?",
    ),
    "side's key missing": (', box = "left"', "", "10: tasks.todo.notion.box", "is missing"),
    "choice of a side": (
        '"left"',
        '"left", order = "upp"',
        "10: tasks.todo.notion.order",
        "did you mean 'up'?",
    ),
    "same place": (
        'connection = "work", box = "left"',
        'connection = "calendar", container = "todo"',
        "11: tasks.todo.other",
        "is the same place as notion",
    ),
    "guard's key": (
        "lost_number",
        "lost_numbr",
        "13: tasks.todo.guard.lost_numbr",
        "did you mean 'lost_number'?",
    ),
    "guard's share": (
        "lost_number = 3",
        "lost_share = 25",
        "13: tasks.todo.guard.lost_share",
        "less than or equal to 1",
    ),
    "guard is text": (
        "[tasks.todo.guard]\nlost_number",
        "guard",
        "12: tasks.todo.guard",
        "should be a table",
    ),
}

OF_FIELDS = {
    "no fields": (GOOD[GOOD.index("[tasks.todo.fields]") :], "", "7: tasks.todo.fields", "is missing"),
    "empty fields": (GOOD[GOOD.index("Name =") :], "", "14: tasks.todo.fields", "maps nothing"),
    "field is a number": ('"summary"', "3", "15: tasks.todo.fields.Name", "should be a name"),
    "field without other": ('other = "status", ', "", "16: tasks.todo.fields.Status.other", "is missing"),
    "field's key": (
        "values =",
        'derection = "x", values =',
        "16: tasks.todo.fields.Status.derection",
        "'direction'?",
    ),
    "direction": (
        "values =",
        'direction = "to", values =',
        "16: tasks.todo.fields.Status.direction",
        "'to' is none",
    ),
    "field's conflict": (
        "values =",
        'conflict = "othr", values =',
        "16: tasks.todo.fields.Status.conflict",
        "'other'?",
    ),
    "field taken twice": (
        '"status"',
        '"summary"',
        "16: tasks.todo.fields.Status",
        "goes to 'summary', as 'Name' does",
    ),
    "value map is text": (
        '{ "Done" = "COMPLETED" }',
        '"x"',
        "16: tasks.todo.fields.Status.values",
        "should be a table",
    ),
    "value map is empty": (
        '{ "Done" = "COMPLETED" }',
        "{}",
        "16: tasks.todo.fields.Status.values",
        "is empty",
    ),
    "value map's pairs": (
        '{ "Done" = "COMPLETED" }',
        '[["a", 1], ["b"]]',
        "16: tasks.todo.fields.Status.values",
        "item 2",
    ),
    "value map's lists": (
        '{ "Done" = "COMPLETED" }',
        '[["a", []]]',
        "16: tasks.todo.fields.Status.values",
        "pair 1",
    ),
    "relation to no task": (
        'Status = { other = "status", values = { "Done" = "COMPLETED" } }',
        'Up = { other = "up", relation = "tod" }',
        "16: tasks.todo.fields.Up.relation",
        "there is no [tasks.tod]; did you mean 'todo'?",
    ),
    "relation with a value map": (
        "values = {",
        'relation = "Todo", values = {',
        "16: tasks.todo.fields.Status.relation",
        "stands beside values",
    ),
    "matched by a relation": (
        'Name = "summary"',
        'Name = { other = "summary", relation = "todo" }',
        "9: tasks.todo.match[0]",
        "is a relation",
    ),
}
FAULTS = {**OF_CONNECTIONS, **OF_TASKS, **OF_FIELDS}
