"""What listens on HTTP: the receiver of Notion's webhook events.

connections.py   which connections are told, and which tasks they concern
receiving.py     from a request to what waits in Redis
firing.py        from what waits to runs
bots.py          whose writes are our own
app.py           the routes
serve.py         the process
"""
